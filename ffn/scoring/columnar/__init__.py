"""Scoring a column at a time: Parquet input or output."""
