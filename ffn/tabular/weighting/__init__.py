"""Weights of rows: how much each counts."""
