"""Prefect's API server: one for a single command, one for `ffn serve`."""
