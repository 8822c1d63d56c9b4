"""Convert cell text to numbers and category codes, alike for training and scoring."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "DECIMALS",
    "EXCHANGED",
    "MISSING",
    "UNKNOWN",
    "category_codes",
    "is_number",
    "numbers",
    "present_texts",
    "trim",
]

DECIMALS = (".", ",")
"""Decimal marks that are supported."""

MISSING = -1
UNKNOWN = -2

# float() also accepts "1_4", digits of other scripts, "inf", "nan" and no-break spaces. In a
# table, a number is finite and written in ASCII digits, with an optional exponent.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Swapped, not replaced: with a decimal comma, "1.234" may mean a thousand, so it is no number.
EXCHANGED = str.maketrans(",.", ".,")


def trim(cell: str) -> str:
    """Return ``cell`` without leading and trailing spaces and tabs."""
    return cell.strip(" \t")


def is_number(cell: str, decimal: str = ".") -> bool:
    """Return whether a cell is a decimal number, ignoring surrounding spaces and tabs.

    ``decimal`` is one of `DECIMALS`.
    """
    text = trim(cell)
    return bool(_NUMBER.fullmatch(text if decimal == "." else text.translate(EXCHANGED)))


def numbers(
    cells: Sequence[str], missing_values: Collection[str], decimal: str = "."
) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Convert cells to numbers.

    Parameters
    ----------
    cells
        Cell texts [n].
    missing_values
        Trimmed texts that mean "no value".
    decimal
        One of `DECIMALS`; the other one is then not allowed in a number.

    Returns
    -------
    values
        Numbers [n]; NaN for missing and invalid cells.
    wrong
        Positions of invalid cells: texts, and numbers beyond the range of float64.
    """
    values = np.full(len(cells), np.nan)
    wrong = []
    for i, cell in enumerate(cells):
        text = trim(cell)
        if text in missing_values:
            continue
        if decimal == ",":
            text = text.translate(EXCHANGED)
            # With "-9.5" among the missing values, "-9,5" is missing, too.
            if text in missing_values:
                continue
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if math.isfinite(value):
            values[i] = value
        else:
            wrong.append(i)
    return values, wrong


def category_codes(
    cells: Sequence[str], categories: Sequence[str], missing_values: Collection[str]
) -> npt.NDArray[np.int64]:
    """Convert cells to category codes.

    Parameters
    ----------
    cells
        Cell texts [n]; surrounding spaces and tabs are ignored.
    categories
        Known texts.
    missing_values
        Trimmed texts that mean "no value".

    Returns
    -------
    codes
        Positions in ``categories`` [n], or ``MISSING`` or ``UNKNOWN``.
    """
    code = {category: position for position, category in enumerate(categories)}
    code |= dict.fromkeys(missing_values, MISSING)
    return np.array([code.get(trim(cell), UNKNOWN) for cell in cells], dtype=np.int64)


def present_texts(cells: Iterable[str], missing_values: Collection[str]) -> list[str | None]:
    """Return trimmed cells [n], with None for those that mean "no value".

    Parameters
    ----------
    cells
        Cell texts [n].
    missing_values
        Trimmed texts that mean "no value".
    """
    trimmed = map(trim, cells)
    return [None if text in missing_values else text for text in trimmed]
