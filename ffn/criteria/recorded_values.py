"""Values read from the JSON files of a version, which may be damaged or of another release."""

from __future__ import annotations

from typing import Any

from ffn.evaluation.inference.statistics import Interval

__all__ = ["interval_in", "table_in"]


def table_in(document: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the JSON object under ``key`` of a document; an empty one if there is none."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def interval_in(document: dict[str, Any], key: str) -> Interval | None:
    """Return the interval under ``key`` of a document; None unless it has finite bounds.

    JSON represents infinite bounds as null.
    """
    found = table_in(document, key)
    numbers = [found.get(name) for name in ("value", "low", "high")]
    if not all(type(number) in (int, float) or number is None for number in numbers):
        return None
    value, low, high = numbers
    if value is None or low is None:
        return None
    try:
        return Interval(float(value), float(low), float("inf") if high is None else float(high))
    except OverflowError:
        # JSON's integers have no bound, floats do.
        return None
