"""A thin Prefect shell and the command line around ``ffn``."""

from flows.closed_prefect import close

# Here, so that no process of ours imports Prefect as it is, worker processes included.
close()
