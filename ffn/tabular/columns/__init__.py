"""Cells of a column to numbers or category codes."""
