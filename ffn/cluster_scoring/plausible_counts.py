"""Whether what a worker sent back may be counts: whole numbers, and not too high."""

from __future__ import annotations

from typing import Any

__all__ = ["are_counts"]

# A row adds to confidences up to 10,000 units, and to drift up to 64 of squared weight.
_MOST_BY_ROW = 10_000
# What a tally has besides counts: in lists, or in lists by column.
_KINDS: dict[str, type] = {"recognised": bool, "examples": str, "sample": str}


def are_counts(found: Any, most_rows: int) -> bool:
    """Return whether all numbers in ``found`` are whole and such as rows may count to.

    Parameters
    ----------
    found
        Numbers, or a `Tally.state` of rows, as JSON.
    most_rows
        Most rows that there can be.
    """
    return _are_up_to(_MOST_BY_ROW * max(most_rows, 1), found)


def _are_up_to(most: int, found: Any) -> bool:
    if isinstance(found, dict):
        return all(
            _are_all(_KINDS[name], each) if name in _KINDS else _are_up_to(most, each)
            for name, each in found.items()
        )
    if isinstance(found, list):
        return all(_are_up_to(most, each) for each in found)
    return found is None or (type(found) is int and 0 <= found <= most)


def _are_all(kind: type, found: Any) -> bool:
    if isinstance(found, dict):
        return all(isinstance(each, list) and _are_all(kind, each) for each in found.values())
    return isinstance(found, list) and all(type(each) is kind for each in found)
