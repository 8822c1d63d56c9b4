"""Pictures of a retraining, as PNG."""
