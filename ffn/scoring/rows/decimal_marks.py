"""Rejected cells that are numbers in another notation, and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ffn.errors import quote
from ffn.tabular.cells import is_number, trim

__all__ = ["notation_hint", "notation_of"]

_NAMES = {".": "point", ",": "comma"}
_OTHER = {".": ",", ",": "."}
# A first group of zeros, as in 0,512, is no number of thousands.
_GROUPED = {
    decimal: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:{re.escape(other)}[0-9]{{3}})+({own}[0-9]+)?")
    for decimal, other in _OTHER.items()
    for own in [re.escape(decimal)]
}
_DECIMAL, _THOUSANDS = "decimal", "thousands"


def notation_of(cell: str, decimal: str) -> str:
    """Return in which notation a cell is a number that has none with the mark ``decimal``.

    ``thousands`` if its marks may separate them, which ``1,400`` leaves open; ``decimal`` if it has
    the other decimal mark for certain; empty if it is no number in either.
    """
    text = trim(cell)
    if _GROUPED[decimal].fullmatch(text):
        return _THOUSANDS
    other = _OTHER[decimal]
    return _DECIMAL if other in text and is_number(text, other) else ""


def notation_hint(counts: Mapping[str, int], rejected: int, decimal: str) -> str:
    """Return a sentence on the notation of most rejected cells; empty if they have no other one.

    Parameters
    ----------
    counts
        Number of rejected cells by `notation_of`.
    rejected
        Number of rejected rows.
    decimal
        Decimal mark with which numbers were read.
    """
    other = _OTHER[decimal]
    sure, grouped = counts.get(_DECIMAL, 0), counts.get(_THOUSANDS, 0)
    if 2 * (sure + grouped) < rejected or not sure + grouped:
        return ""
    read = f" Numbers are read with a decimal {_NAMES[decimal]} and look written with a "
    as_mark = f"give {quote(other)} as the decimal mark."
    if sure:
        return f"{read}{_NAMES[other]}: {as_mark}"
    return (
        f"{read}{_NAMES[other]} between thousands: write them without it, or if it is the decimal "
        f"mark, {as_mark}"
    )
