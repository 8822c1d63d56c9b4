"""How cost and memory grow with the rows of a table."""
