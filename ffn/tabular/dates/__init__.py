"""Columns of dates and times: read as numbers, and recognised."""
