"""Read CSV and Parquet tables into arrays: parsing, schema, preprocessing and splits."""
