"""Scoring by the workers of a cluster: ranges of a long file, and parts of a partitioned output."""
