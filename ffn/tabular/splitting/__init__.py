"""Splits of a table's rows: by content, by time, by group; array functions without files."""
