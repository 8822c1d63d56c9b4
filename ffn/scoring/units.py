"""Units that columns are named after, and by how much a value changes in another."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["Scale", "scales"]

# Sizes within a dimension; those of time and length are the usual ones, not all there are.
_DIMENSIONS: tuple[dict[str, float], ...] = (
    {"mm": 1, "cm": 10, "m": 1_000, "km": 1e6, "inch": 25.4, "ft": 304.8, "mile": 1_609_344},
    {"mg": 1, "g": 1_000, "kg": 1e6, "t": 1e9, "oz": 28_349.5, "lb": 453_592},
    {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000},
    {"ml": 1, "cl": 10, "dl": 100, "l": 1_000},
)
_ALSO = {"in": "inch", "inches": "inch", "foot": "ft", "feet": "ft", "lbs": "lb", "sec": "s"}
# For columns whose name says no unit: tens to millions; inches, feet, pounds, miles, minutes.
_COMMON = (10, 100, 1_000, 1e6, 2.54, 25.4, 3.28084, 2.20462, 28.3495, 453.592, 1.609344, 60)

Scale = tuple[float, str]
"""By what a value has to be multiplied to be as in training, and what may have happened."""


def scales(column: str) -> Iterator[Scale]:
    """Yield the mistakes of unit that a column may have, the likelier first."""
    words = re.split(r"[^a-z]+", column.lower())
    units = [_ALSO.get(word, word) for word in words]
    named = False
    for unit in reversed(units):
        for sizes in _DIMENSIONS:
            if unit in sizes and not named:
                named = True
                for other, size in sizes.items():
                    if other != unit:
                        yield size / sizes[unit], f"{other} instead of {unit}"
    for factor in _COMMON:
        yield factor, ""
        yield 1 / factor, ""
