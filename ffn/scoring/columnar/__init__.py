"""Column-wise scoring, for Parquet input or output."""
