"""Dropping candidates of a search between the stages of its race."""
