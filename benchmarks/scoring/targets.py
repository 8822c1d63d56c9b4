"""The figures to reach: each is a line of the table."""

from __future__ import annotations

__all__ = ["COMPARISON", "CPU", "MANY_FILES", "PEAK_MEGABYTES", "TWO_PROCESSES"]

CPU = (
    ("fixed-width", "pandas", 10.0),
    ("fixed-width", "polars", 1.4),
    ("variable-width", "pandas", 8.0),
    ("variable-width", "polars", 1.1),
    ("categories", "pandas", 8.0),
)
"""Shape, side, and how many times our CPU time that side's is to be."""

PEAK_MEGABYTES = 150
"""For a file of any length."""

TWO_PROCESSES = 1.6
"""Wall time of one process divided by that of two."""

COMPARISON = 0.05
"""Share of our CPU time that comparing the rows with training's may take."""

MANY_FILES = 20.0
"""CPU time of a process for each of 1,000 files divided by that of one for all."""
