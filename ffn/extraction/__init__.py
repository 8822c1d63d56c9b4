"""Training tables from wherever they are, each as one CSV file: Parquet, folders, queries."""
