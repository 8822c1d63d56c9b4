"""Accuracy on real tables, ours beside other libraries at their default settings."""
