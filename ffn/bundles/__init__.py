"""Saved models: bundles without pickle, verified by digests and optional signatures."""
