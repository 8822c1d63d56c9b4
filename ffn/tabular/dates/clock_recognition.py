"""Recognise a column of times of day, from all of its cells.

Durations and scores are written like times of day, too: 1:30 may be an hour and a half, 21:15 the
result of a game. A column is found to hold times only if its cells say so: by AM or PM, or, with
every hour in two digits, by an hour with a leading zero (08:30) and one in the afternoon.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ffn.errors import quote
from ffn.tabular.clock_form import ClockForm

__all__ = ["TimesFound", "TimesInDoubt", "recognise_times"]

_NEARLY_ALL = 0.9
_NOON = 12 * 3600
# Fewer different texts are as good as categories, and no reason to ask.
_FEWEST = 5
# Texts that are looked at before all others.
_SAMPLE = 100
# Such as 36:15, which is a duration: no time of day, and no other text either.
_LIKE_A_TIME = re.compile(r"\d+:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class TimesFound:
    """The form of a column in which every cell is a time of day.

    Attributes
    ----------
    form
        The form.
    first, last
        The earliest and the latest time, in seconds since midnight.
    """

    form: ClockForm
    first: float
    last: float


@dataclass(frozen=True, kw_only=True)
class TimesInDoubt:
    """Why a column that looks like times of day is not read as such.

    Attributes
    ----------
    text
        What is in doubt, as a clause that follows the column's name.
    form
        The form that could read it; None if none reads all of its cells.
    """

    text: str
    form: ClockForm | None = None


def recognise_times(rows: Mapping[str, int]) -> TimesFound | TimesInDoubt | None:
    """Return the form of a column's times of day, a doubt about it, or None if it has none.

    Parameters
    ----------
    rows
        Number of rows by trimmed text, without texts that mean "no value".
    """
    cells = sorted(rows)
    some = cells[:: max(1, len(cells) // _SAMPLE)]
    if not cells or sum(_reads(cell) for cell in some) < _NEARLY_ALL * len(some) - 1:
        return None
    halves, plain = ClockForm(halves=True), ClockForm()
    values = {cell: (plain.number(cell), halves.number(cell)) for cell in cells}
    total = sum(rows.values())
    strange = [cell for cell in cells if all(map(math.isnan, values[cell]))]
    if total - sum(rows[cell] for cell in strange) < _NEARLY_ALL * total:
        return None
    if strange and len(cells) < _FEWEST:
        return None
    durations = [cell for cell in strange if _LIKE_A_TIME.fullmatch(cell)]
    if durations:
        return TimesInDoubt(
            text=f"looks like times of day, but {quote(durations[0])} is none; if they are "
            "durations, write them as numbers, such as minutes"
        )
    if strange:
        other = quote(strange[0])
        return TimesInDoubt(
            text=f"has times of day, and texts that are none, such as {other} (for no value? give "
            f"--missing {other})"
        )
    with_half = [cell for cell in cells if math.isnan(values[cell][0])]
    without = [cell for cell in cells if math.isnan(values[cell][1])]
    if with_half and without:
        return TimesInDoubt(
            text=f"has times of day with AM or PM, such as {quote(with_half[0])}, and without, "
            f"such as {quote(without[0])} (write all alike)"
        )
    form = halves if with_half else plain
    seconds = [values[cell][form.halves] for cell in cells]
    told = all(cell[2] == ":" for cell in cells) and any(cell[0] == "0" for cell in cells)
    if form is plain and not (told and max(seconds) >= _NOON):
        if len(cells) < _FEWEST:
            return None
        return TimesInDoubt(
            text=f"may hold times of day or durations, such as {quote(cells[0])}", form=form
        )
    return TimesFound(form=form, first=min(seconds), last=max(seconds))


def _reads(cell: str) -> bool:
    return any(not math.isnan(ClockForm(halves=halves).number(cell)) for halves in (False, True))
