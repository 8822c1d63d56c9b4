"""Training tables in CSV files to typed, memory-mapped columns, in one pass."""
