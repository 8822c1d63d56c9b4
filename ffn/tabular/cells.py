"""Cell text to numbers and category codes: one rule for training and for scoring."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

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
    "trim",
]

DECIMALS = (".", ",")
"""Marks that may stand between a number's whole and its fraction."""

MISSING = -1
UNKNOWN = -2

# float() also takes "1_4", digits of other scripts, "inf", "nan" and no-break spaces. A
# table's number is ASCII decimal, with an optional exponent, and finite.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Exchanged, not replaced: where the comma is the decimal mark, "1.234" may be a thousand.
EXCHANGED = str.maketrans(",.", ".,")


def trim(cell: str) -> str:
    """Return ``cell`` without the spaces and tabs around it."""
    return cell.strip(" \t")


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a decimal number, spaces and tabs around it aside."""
    text = trim(cell)
    return bool(_NUMBER.fullmatch(text if decimal == "." else text.translate(EXCHANGED)))


def numbers(
    cells: Sequence[str], missing_values: Collection[str], decimal: str = "."
) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Return numbers [n] and the positions that hold none.

    A missing cell is NaN and no error; text, and a number outside float64's finite range,
    is NaN and listed. ``decimal`` is one of `DECIMALS`; with a comma, the other one stands in
    no number.
    """
    values = np.full(len(cells), np.nan)
    wrong = []
    for i, cell in enumerate(cells):
        text = trim(cell)
        if text in missing_values:
            continue
        if decimal == ",":
            text = text.translate(EXCHANGED)
            # "-9.5" means missing however it is spelt here.
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
    """Return codes [n]: the position in ``categories``, ``MISSING`` or ``UNKNOWN``."""
    code = {category: position for position, category in enumerate(categories)}
    code |= dict.fromkeys(missing_values, MISSING)
    return np.array([code.get(trim(cell), UNKNOWN) for cell in cells], dtype=np.int64)
