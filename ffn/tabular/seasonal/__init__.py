"""Seasons: what columns hold in each month of the year."""
