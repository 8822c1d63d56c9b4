"""Files to arrays: CSV records, the schema learnt from them, preparation, splits."""
