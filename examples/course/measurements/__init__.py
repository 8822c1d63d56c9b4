"""Experiments that take longer than a page may; what they measure is kept in a file."""
