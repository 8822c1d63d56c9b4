"""Prefect flows and the command line around ``ffn``."""

from flows.closed_prefect import close

# Here, so that no process, including worker processes, imports Prefect without the changes.
close()
