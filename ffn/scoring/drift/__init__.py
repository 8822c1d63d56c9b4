"""Drift detection: compare the distribution of scored rows with that of the training rows."""
