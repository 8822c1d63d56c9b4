"""How often to retrain: ``1d``, ``2w``, ``1mo``, ``1y``, or a number in the unit of the times."""

from __future__ import annotations

import calendar
import datetime
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ffn.errors import SettingsError, quote
from ffn.quantities import counted
from ffn.tabular.splitting.points_in_time import MICROSECONDS, TimeKind

__all__ = ["NEVER", "Frequency", "read_frequencies", "read_length"]

NEVER = "never"

_DURATION = re.compile(r"([1-9][0-9]{0,4})(h|d|w|mo|y)")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_EPOCH = datetime.datetime(1970, 1, 1)
_TICK = datetime.timedelta(microseconds=1)
_HOUR = 3_600 * MICROSECONDS
_TICKS = {"h": _HOUR, "d": 24 * _HOUR, "w": 7 * 24 * _HOUR}
_MONTHS = {"mo": 1, "y": 12}
# Monday: 1970-01-01 was a Thursday.
_FIRST_MONDAY = -3 * 24 * _HOUR
_WORDS = {"h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_EXAMPLES = '"1d", "2w", "1mo", "3mo" or "1y"'


@dataclass(frozen=True)
class Frequency:
    """A distance in time: some hours, days, weeks, calendar months or years, or a plain number.

    Attributes
    ----------
    text
        As it was written.
    count
        Number of units.
    unit
        ``h``, ``d``, ``w``, ``mo``, ``y``; empty for a number in the unit of the times.
    """

    text: str
    count: Decimal
    unit: str

    @property
    def words(self) -> str:
        """The distance in words, for sentences: ``month``, ``3 months``, ``0.5``."""
        if not self.unit:
            return self.text
        word = _WORDS[self.unit]
        return word if self.count == 1 else counted(int(self.count), word)

    @property
    def length(self) -> float:
        """About how long it is, in the unit of the times, by which frequencies are ordered."""
        if not self.unit:
            return float(self.count)
        month = 365.2425 / 12 * _TICKS["d"]
        return float(self.count) * _TICKS.get(self.unit, month * _MONTHS.get(self.unit, 1))

    def shifted(self, time: float, times: int) -> float:
        """Return the point ``times`` such distances after ``time``, or before it if negative.

        Months are those of the calendar, counted from ``time`` itself: a month after January 31 is
        the last day of February, two months after it is March 31.

        Parameters
        ----------
        time
            A time in microseconds since 1970, or a number.
        times
            How many distances.

        Raises
        ------
        OverflowError
            The result is beyond the years 1 to 9999.
        """
        if not self.unit:
            return float(Decimal(repr(float(time))) + times * self.count)
        if self.unit in _TICKS:
            return int(time) + times * int(self.count) * _TICKS[self.unit]
        at = _EPOCH + int(time) * _TICK
        months = at.year * 12 + at.month - 1 + times * int(self.count) * _MONTHS[self.unit]
        year, month = divmod(months, 12)
        if not 1 <= year <= 9999:
            raise OverflowError("beyond the years 1 to 9999")
        day = min(at.day, calendar.monthrange(year, month + 1)[1])
        return (at.replace(year=year, month=month + 1, day=day) - _EPOCH) // _TICK

    def boundaries(self, first: float, last: float) -> list[float]:
        """Return the round points in time between two times, this distance apart.

        Days begin at midnight, weeks on Monday, months on the first, years on January 1; several
        months begin where the year is divided by them. Numbers are counted from the first one.

        Parameters
        ----------
        first, last
            The two times; points are later than the first, and not later than the last.
        """
        start = first if not self.unit else self._round_down(int(first))
        return [at for at in self._from(start, last) if at > first]

    def _from(self, start: float, last: float) -> Iterator[float]:
        number = 0
        try:
            while (at := self.shifted(start, number)) <= last:
                yield at
                number += 1
        except OverflowError:
            return

    def times_from(self, start: float, last: float) -> list[float]:
        """Return ``start``, and the points this distance apart up to ``last``."""
        return list(self._from(start, last))

    def _round_down(self, time: int) -> float:
        count = int(self.count)
        if self.unit in _TICKS:
            step = count * _TICKS[self.unit]
            zero = _FIRST_MONDAY if self.unit == "w" else 0
            return zero + (time - zero) // step * step
        at, step = _EPOCH + time * _TICK, count * _MONTHS[self.unit]
        year, month = divmod((at.year * 12 + at.month - 1) // step * step, 12)
        return (datetime.datetime(max(year, 1), month + 1, 1) - _EPOCH) // _TICK


def read_frequencies(every: str | Sequence[str], kind: TimeKind) -> list[Frequency]:
    """Return the frequencies to compare, the shortest first, without ``never``.

    Parameters
    ----------
    every
        Frequencies as a list, or as one text with commas between them.
    kind
        Kind of the times.

    Raises
    ------
    SettingsError
        One of them is no frequency, or not of this kind; or there is none but ``never``.
    """
    texts = every.split(",") if isinstance(every, str) else every
    if not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"every must be a text such as {_EXAMPLES}, or a list of such texts.")
    wanted = dict.fromkeys(text.strip() for text in texts)
    found = [read_length("every", text, kind) for text in wanted if text != NEVER]
    if not found:
        raise SettingsError(
            f'every names nothing but "{NEVER}", which is compared in any case. Add a frequency: '
            f"{_EXAMPLES}."
        )
    return sorted(found, key=lambda one: (one.length, one.text))


def read_length(name: str, text: str, kind: TimeKind) -> Frequency:
    """Return a distance in time.

    Parameters
    ----------
    name
        What it is called, for the error: ``every``.
    text
        The distance.
    kind
        Kind of the times.

    Raises
    ------
    SettingsError
        It is no distance, or not one of this kind.
    """
    told = f"{name} is {quote(text)}"
    if kind == "number":
        if not _NUMBER.fullmatch(text) or not Decimal(text):
            raise SettingsError(
                f"{told}; the times in the table are numbers, so it must be a number above 0 in "
                "their unit."
            )
        return Frequency(text, Decimal(text), "")
    if not (match := _DURATION.fullmatch(text)):
        raise SettingsError(f"{told}; it must be a whole number and a unit, such as {_EXAMPLES}.")
    found = Frequency(text, Decimal(match[1]), match[2])
    if not math.isfinite(found.length) or found.length > 1_000 * 366 * _TICKS["d"]:
        raise SettingsError(f"{told}; it must be no longer than 1000 years.")
    return found
