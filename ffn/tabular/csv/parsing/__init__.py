"""CSV parser: positions of records and cells in blocks of bytes, and recovery after errors."""
