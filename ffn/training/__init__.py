"""Training: from a table to a refitted model, step by step."""
