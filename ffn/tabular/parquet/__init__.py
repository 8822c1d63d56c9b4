"""Parquet reader, with the results of a CSV file of the same table."""
