"""Scoring on one process, several, and clusters: what dividing the work costs."""
