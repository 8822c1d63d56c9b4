"""Parse dates and times of day from text, in nanoseconds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["DAY", "SECOND", "Moment", "read_moments", "read_time"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime.date(1970, 1, 1).toordinal()

_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?(?:\s?(?P<half>[AaPp])[Mm])?"
)
_ZONE = r"(?:\s?(?P<zone>Z|z|UTC|GMT|(?P<sign>[+-])(?P<ahead>[0-9]{2})(?::?(?P<of>[0-9]{2}))?))?"
_TIME = re.compile(_CLOCK)
_YEAR, _MONTH, _DAY = r"(?P<year>[0-9]{4})", r"(?P<month>[0-9]{1,2})", r"(?P<day>[0-9]{1,2})"
_MARK, _AGAIN = r"(?P<mark>[-/])", r"(?P=mark)"
_DATES = tuple(
    (order, re.compile(rf"{date}(?:(?:[Tt]|\s+){_CLOCK}{_ZONE})?"))
    for order, date in (
        ("", rf"{_YEAR}{_MARK}{_MONTH}{_AGAIN}{_DAY}"),
        ("", rf"{_YEAR}-(?P<month>[0-9]{{2}})"),
        ("", rf"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})"),
        # With points, the day always comes first.
        ("", rf"{_DAY}\.{_MONTH}\.{_YEAR}"),
        ("dm", rf"{_DAY}{_MARK}{_MONTH}{_AGAIN}{_YEAR}"),
        ("md", rf"{_MONTH}{_MARK}{_DAY}{_AGAIN}{_YEAR}"),
    )
)


class Moment(NamedTuple):
    """One reading of a text.

    Attributes
    ----------
    nanoseconds
        Nanoseconds since 1970-01-01 00:00, in UTC if ``zoned``, else in an unknown local time.
    zoned
        Whether the text contains its offset from UTC.
    order
        ``"dm"`` or ``"md"`` if the first number of a text such as ``03/04/2024`` was read as the
        day or the month; empty for unambiguous forms.
    """

    nanoseconds: int
    zoned: bool
    order: str


def read_moments(text: str) -> Iterator[Moment]:
    """Yield every possible reading of ``text`` as a date, with or without a time."""
    for order, pattern in _DATES:
        found = pattern.fullmatch(text)
        if not found:
            continue
        part = found.groupdict()
        try:
            date = datetime.date(int(part["year"]), int(part["month"]), int(part.get("day") or 1))
        except ValueError:
            continue
        clock = 0 if part["hour"] is None else _clock(part)
        if clock is None:
            continue
        ahead = 0
        if part["sign"]:
            minutes = 60 * int(part["ahead"]) + int(part["of"] or 0)
            ahead = (-60 if part["sign"] == "-" else 60) * minutes * SECOND
        since = (date.toordinal() - _EPOCH) * DAY + clock - ahead
        yield Moment(since, part["zone"] is not None, order)


def read_time(text: str) -> int | None:
    """Return ``text``, a time of day such as ``08:30`` or ``8:30:15.5 PM``, in nanoseconds.

    None if it is not a time of day.
    """
    found = _TIME.fullmatch(text)
    return _clock(found.groupdict()) if found else None


def _clock(part: dict[str, str | None]) -> int | None:
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if half := part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in "Pp")
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((part["fraction"] or "").ljust(9, "0"))
    return (3600 * hour + 60 * minute + second) * SECOND + fraction
