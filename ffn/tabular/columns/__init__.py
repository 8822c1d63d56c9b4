"""Convert table columns, from CSV or Arrow, to numbers or category codes."""
