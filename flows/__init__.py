"""A thin Prefect shell and the command line around ``ffn``."""
