"""Blocks of Prefect that the product is given values from."""
