"""Leaks: columns and rows that make a model look better than it will be, found before training."""
