"""Batch scoring: label the rows of CSV and Parquet files, and of tables in memory."""
