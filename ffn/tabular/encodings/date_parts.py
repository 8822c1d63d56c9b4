"""Numbers that tell what a date means: time that has passed, the season, the weekday, the hour.

A cycle is two numbers, the sine and the cosine of the angle, so that Sunday is beside Monday and
the last day of a year beside the first (Mardia and Jupp 2000, "Directional statistics", section
2.2).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CLOCK_PARTS", "DAY_SECONDS", "TREND", "DatePart", "part_of_dates", "telling_parts"]

Array = npt.NDArray[Any]

DAY_SECONDS = 86_400
_WEEK = 7
# 1970-01-01 was a Thursday; Monday is 0.
_FIRST_WEEKDAY = 3
_YEAR_DAYS = 365
# Only what comes again in another year is of the season, and the rest of the trend: within two
# years the one is taken for the other, and the next months are not like the last ones.
_TREND_DAYS = 2 * _YEAR_DAYS


class DatePart(IntEnum):
    """Parts of a date, by the code that a bundle stores; a code never changes its meaning."""

    NUMBER = 0
    """The number itself, of a column that has no dates. Of times of day: seconds since midnight."""
    ELAPSED = 1
    """Days since the first date of the training rows, with their fraction."""
    YEAR = 2
    """Calendar years since the year of that date."""
    YEAR_SINE = 3
    YEAR_COSINE = 4
    """Position in the year, by days."""
    WEEK_SINE = 5
    WEEK_COSINE = 6
    """Weekday."""
    DAY_SINE = 7
    DAY_COSINE = 8
    """Time of the day."""


TREND = (DatePart.ELAPSED, DatePart.YEAR)
_OF_YEAR = (DatePart.YEAR_SINE, DatePart.YEAR_COSINE)
_OF_WEEK = (DatePart.WEEK_SINE, DatePart.WEEK_COSINE)
_OF_DAY = (DatePart.DAY_SINE, DatePart.DAY_COSINE)
CLOCK_PARTS = (DatePart.NUMBER, *_OF_DAY)
"""Parts of a time of day that has no date."""


def part_of_dates(part: DatePart, seconds: Array, origin: float) -> Array:
    """Return a part of dates, float64 [n], NaN where there is no date.

    Parameters
    ----------
    part
        Which part.
    seconds
        Seconds since 1970, float64 [n], NaN for missing.
    origin
        The date from which time is counted, in the same seconds; only the trend needs it.
    """
    if part is DatePart.NUMBER:
        return seconds
    if part is DatePart.ELAPSED:
        elapsed: Array = (seconds - origin) / DAY_SECONDS
        return elapsed
    missing = np.isnan(seconds)
    at = np.where(missing, 0.0, seconds) if missing.any() else seconds
    days = np.floor(at / DAY_SECONDS)
    if part in _OF_DAY:
        angle = 2 * np.pi * (at - days * DAY_SECONDS) / DAY_SECONDS
    elif part in _OF_WEEK:
        angle = 2 * np.pi * np.mod(days + _FIRST_WEEKDAY, _WEEK) / _WEEK
    else:
        dates = days.astype(np.int64).view("M8[D]")
        years = dates.astype("M8[Y]")
        if part is DatePart.YEAR:
            first = np.datetime64(int(np.floor(origin)), "s").astype("M8[Y]")
            return _without(missing, (years - first).astype(np.float64))
        begins = years.astype("M8[D]")
        length = ((years + 1).astype("M8[D]") - begins).astype(np.float64)
        angle = 2 * np.pi * (dates - begins).astype(np.float64) / length
    sine = part in (DatePart.YEAR_SINE, DatePart.WEEK_SINE, DatePart.DAY_SINE)
    return _without(missing, np.sin(angle) if sine else np.cos(angle))


def telling_parts(seconds: Array, *, trend: bool = True) -> tuple[DatePart, ...]:
    """Return the parts that vary among the dates of the training rows; none if all are one date.

    Parameters
    ----------
    seconds
        Dates of the training rows in seconds since 1970, float64 [n], NaN for missing.
    trend
        Whether time that has passed may be a part. Not where rows are split by this column: rows to
        score are later than all to learn from, and nothing was learnt of such a time. Nor is it one
        where the dates span less than two years. A cycle is then a part only if the training rows
        have seen it once from end to end: one that was not is a part of the trend.
    """
    known = seconds[~np.isnan(seconds)]
    if not len(known):
        return ()
    days = np.unique(np.floor(known / DAY_SECONDS))
    span = float(days[-1] - days[0]) + 1
    trend = trend and span >= _TREND_DAYS
    found: list[DatePart] = []
    if trend:
        found.append(DatePart.ELAPSED)
        if _varies(part_of_dates(DatePart.YEAR, days * DAY_SECONDS, 0.0)):
            found.append(DatePart.YEAR)
    for pair, cycle, of in (
        (_OF_YEAR, _YEAR_DAYS, days * DAY_SECONDS),
        (_OF_WEEK, _WEEK, days * DAY_SECONDS),
        (_OF_DAY, 1, known),
    ):
        if (trend or span >= cycle) and any(_varies(part_of_dates(one, of, 0.0)) for one in pair):
            found += pair
    return tuple(found)


def _varies(values: Array) -> bool:
    return bool(values.min() < values.max())


def _without(missing: Array, values: Array) -> Array:
    if missing.any():
        values[missing] = np.nan
    return values
