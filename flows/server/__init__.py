"""Prefect's API server: a temporary one for a single command, or that of ``ffn serve``."""
