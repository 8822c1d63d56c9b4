"""Evaluation: metrics, calibration, paired comparisons, importance, and their intervals."""
