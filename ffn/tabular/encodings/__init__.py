"""Encodings of columns that give several inputs each."""
