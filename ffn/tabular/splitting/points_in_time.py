"""Cells as points in time: ISO 8601 dates and times, plain numbers, or a declared format."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Literal, NamedTuple

from ffn.tabular.cells import numbers
from ffn.tabular.date_form import iso_datetime

__all__ = ["MICROSECONDS", "TimeKind", "TimePoint", "fitting_forms", "parse_time", "time_text"]

MICROSECONDS = 1_000_000
"""Dates are counted in so many units a second, from 1970."""

TimeKind = Literal["number", "date", "instant"]
"""``date``: without a time zone; ``instant``: with one, compared as instants; ``number``: plain."""

_EPOCH = datetime.datetime(1970, 1, 1)
_TICK = datetime.timedelta(microseconds=1)
# Forms that are suggested, never assumed: 03/04/2024 is a day in March or in April.
_FORMS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
)


class TimePoint(NamedTuple):
    """A point in time: its kind, and microseconds since 1970, or the number itself."""

    kind: TimeKind
    value: float


def parse_time(text: str, form: str | None = None, decimal: str = ".") -> TimePoint | None:
    """Return the point in time that a trimmed cell means; None if it is none.

    ISO 8601 dates (to the month or the day) and date-times, with ``T`` or a space, with or without
    a zone; and plain numbers, such as a year or seconds since 1970. Fractions of a microsecond are
    cut off.

    Parameters
    ----------
    text
        The cell.
    form
        Format of all cells in the directives of Python's ``strptime``, such as ``%d/%m/%Y``; None,
        the default, for the forms above.
    decimal
        Decimal mark of numbers.
    """
    try:
        if form is not None:
            return _point(datetime.datetime.strptime(text, form))
        if (at := iso_datetime(text)) is not None:
            return _point(at)
    except (ValueError, OverflowError):
        return None
    values, wrong = numbers([text], (), decimal)
    return None if wrong else TimePoint("number", float(values[0]))


def time_text(kind: TimeKind, value: float) -> str:
    """Return a point in time for a message: as short as it can be written exactly.

    Parameters
    ----------
    kind, value
        As in `TimePoint`.
    """
    if kind == "number":
        return f"{value:.15g}"
    at = _EPOCH + int(value) * _TICK
    text = at.isoformat(sep=" ")
    text = text.removesuffix(" 00:00:00")
    return f"{text} UTC" if kind == "instant" else text


def fitting_forms(texts: Iterable[str]) -> list[str]:
    """Return the common formats that fit all of some cells, for a suggestion.

    Parameters
    ----------
    texts
        Trimmed cells.
    """
    cells = list(texts)
    return [form for form in _FORMS if cells and all(parse_time(cell, form) for cell in cells)]


def _point(at: datetime.datetime) -> TimePoint:
    kind: TimeKind = "date"
    if at.tzinfo is not None:
        kind, at = "instant", at.astimezone(datetime.UTC).replace(tzinfo=None)
    return TimePoint(kind, (at - _EPOCH) // _TICK)
