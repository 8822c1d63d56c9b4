"""Notebooks: the chapters of the course, and the examples beside this package."""
