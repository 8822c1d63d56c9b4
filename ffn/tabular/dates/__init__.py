"""Columns of dates and times, and of times of day: read as numbers, and recognised."""
