"""Read tables in memory, of pandas, polars or Arrow, by the rules for CSV files."""
