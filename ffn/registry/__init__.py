"""Numbered versions, the pointer to the one in production, and the history of both."""
