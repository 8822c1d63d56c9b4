"""The promotion gate: whether a new version may replace the one in production."""
