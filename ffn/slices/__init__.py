"""Groups of rows that a model serves worse than all others."""
