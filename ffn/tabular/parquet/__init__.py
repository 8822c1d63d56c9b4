"""Parquet files as the CSV file of the same table."""
