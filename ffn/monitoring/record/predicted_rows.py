"""Rows of a scored table as they are read: ids, labels, confidences."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.scoring.rows.suffixes import UNITS
from ffn.tabular.csv.formula_guard import FormulaGuard

__all__ = ["PredictedRows", "RowCounts", "share_units", "unguarded"]


@dataclass
class PredictedRows:
    """Some rows [n]: their ids, labels, confidences, shares of every class, and what is known."""

    ids: list[bytes | None]
    labels: list[str]
    units: list[int]
    shares: list[bytes] | list[None]
    known: list[bool]


@dataclass
class RowCounts:
    """Counts of the rows so far, of those that are new, and the sum of the latter's confidences."""

    rows: int = 0
    fresh: int = 0
    units: int = 0
    checked: bool = False
    sha256: str = ""


def share_units(text: str, decimal: str) -> int:
    """Return a probability, a ``text`` with this ``decimal`` mark, in units of 1/10,000."""
    return round(float(text.replace(decimal, ".")) * UNITS)


def unguarded(cells: list[str], decimal: str) -> list[str]:
    """Return cells without the apostrophe that ``escape_formulas`` put before some.

    Parameters
    ----------
    cells
        Cell texts.
    decimal
        Decimal mark, by which negative numbers are told from formulas.
    """
    guard = FormulaGuard(decimal)
    return [
        cell[1:] if cell[:1] == "'" and guard.text(cell[1:]) == cell else cell for cell in cells
    ]
