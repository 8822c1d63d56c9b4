"""The tables: where they are shipped, which there are, and how each is divided."""
