"""Scoring a block of CSV records."""
