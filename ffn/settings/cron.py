"""Validation of five-field cron expressions: only those that every scheduler reads alike."""

from __future__ import annotations

import re

from ffn.errors import quote

__all__ = ["check_cron"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Minute, hour, day, month, weekday (0 and 7 are Sunday), and the names allowed in the last two.
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)
_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[1-9][0-9]?))?")


def check_cron(text: str) -> str:
    """Return ``text`` if it is a valid cron expression.

    Raises
    ------
    ValueError
        It is invalid, means different things to different schedulers, or never comes due
        (30 February). The text continues a sentence that begins with the setting.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError('must be five fields, minute hour day month weekday, such as "0 3 * * *"')
    _, _, days, months, _ = (
        {value for part in field.split(",") for value in _values(part, *known)}
        for field, known in zip(fields, _FIELDS, strict=True)
    )
    # Also with a weekday, which some schedulers take as an alternative; Prefect finds no date.
    if min(days) > max(_DAYS_OF_MONTHS[month - 1] for month in months):
        raise ValueError("must have a day that one of its months has")
    return text


def _values(part: str, name: str, low: int, high: int, names: tuple[str, ...]) -> range:
    """Return the values of one comma-separated part of a field."""
    found = _PART.fullmatch(part)
    first = 0 if names == _WEEKDAYS else 1
    numbers = {name: first + place for place, name in enumerate(names)}
    ends = [end for end in (found["low"], found["high"]) if end is not None] if found else []
    values = [
        numbers.get(end.lower(), int(end) if end.isdecimal() and end.isascii() else -1)
        for end in ends
    ]
    if found is None or not all(low <= value <= high for value in values):
        raise ValueError(f"must have its {name} from {low} to {high}, not {quote(part)}")
    if values != sorted(values):
        raise ValueError(
            f"must have ranges that go up (Sunday is 0), not {quote(part)}; write it as two"
        )
    if found["step"] and len(values) == 1:
        # "5/10" means different things to different schedulers.
        ranged = quote(part.replace("/", f"-{high}/"))
        raise ValueError(f"must have its steps in a range, such as {ranged}, not {quote(part)}")
    start, stop = (values[0], values[-1]) if values else (low, high)
    return range(start, stop + 1, int(found["step"] or 1))
