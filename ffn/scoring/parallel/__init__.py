"""Scoring of one file by several processes."""
