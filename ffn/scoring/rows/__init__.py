"""Scoring of blocks of CSV records."""
