"""Damaged CSV files by the million, and what must become of each."""
