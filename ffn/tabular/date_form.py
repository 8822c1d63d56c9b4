"""Dates and times as a column writes them, read as seconds since 1970.

A form is declared by a text: ``iso`` for ISO 8601 without a time zone, ``iso utc`` for ISO 8601
with one, or the directives of Python's ``strptime``, such as ``%d/%m/%Y``. Every form reads ISO
8601 besides, which no accepted form understands otherwise, so that typed columns need no other
text.

Times with a zone are instants: they are converted to UTC, whatever their offset. Times without one
are what a clock on the wall showed. One form never reads both.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["DateForm", "iso_datetime"]

_ISO_TEXT = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:\s?(Z|z|[+-]\d\d(?::?\d\d)?))?)?)?",
    re.ASCII,
)
_EPOCH = datetime.datetime(1970, 1, 1)
_TICK = datetime.timedelta(microseconds=1)
_TICKS = 1_000_000
_PLAIN, _UTC = "iso", "iso utc"
# Those of strptime that mean the same on every machine, in every language.
_DIRECTIVE = re.compile(r"%[YymdHIMSfpjbBaAz%]")
_CLOCK = re.compile(r"%[HI]")
_SAMPLE = datetime.datetime(2001, 12, 30, 23, 58, 57, tzinfo=datetime.UTC)
_ISO_SAMPLES = ("2001-02-03", "2001-02-03 04:05", "2001-02-03 04:05:06", "2001-02-03T04:05:06")
# Longer texts are no dates; the expressions below need not see them.
_LONGEST = 100
_EXPECTED = (
    'must be "iso", "iso utc" for times with a zone, or how the column writes a date in the '
    'directives of strptime, such as "%d/%m/%Y" or "%Y%m%d %H:%M"'
)


def iso_datetime(text: str) -> datetime.datetime | None:
    """Return the date or time that ``text`` is in ISO 8601; None if it is none.

    To the month, the day, the minute, the second or a fraction of it, with ``T`` or a space. It has
    a time zone if the text has one. Fractions of a microsecond are cut off.

    Raises
    ------
    ValueError
        It is written so, but there is no such day or time.
    OverflowError
        The offset is impossible.
    """
    found = _ISO_TEXT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    at = datetime.datetime(
        int(year),
        int(month),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
    )
    if zone is None:
        return at
    if zone in "Zz":
        return at.replace(tzinfo=datetime.UTC)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return at.replace(tzinfo=datetime.timezone(-offset if zone[0] == "-" else offset))


@dataclass(frozen=True, kw_only=True)
class DateForm:
    """How a column writes its dates and times.

    Attributes
    ----------
    pattern
        Directives of ``strptime``; empty for ISO 8601 alone.
    zoned
        Whether every cell has a time zone; otherwise none has.
    """

    pattern: str = ""
    zoned: bool = False

    @classmethod
    def of(cls, text: str) -> DateForm:
        """Return the form that ``text`` declares.

        Raises
        ------
        ValueError
            It is none: without year and month, with a directive that depends on the machine's
            language or clock, or one under which a date in ISO 8601 would be another date.
        """
        if text in (_PLAIN, _UTC):
            return cls(zoned=text == _UTC)
        if "%" not in text or "%" in _DIRECTIVE.sub("", text):
            raise ValueError(_EXPECTED)
        try:
            read = datetime.datetime.strptime(_SAMPLE.strftime(text), text)
        except ValueError:
            raise ValueError(_EXPECTED) from None
        zoned = read.tzinfo is not None
        read = read.replace(tzinfo=None)
        hour = _SAMPLE.hour if _CLOCK.search(text) else 0
        if read.date() not in (_SAMPLE.date(), _SAMPLE.date().replace(day=1)) or read.hour != hour:
            raise ValueError(_EXPECTED)
        for sample in _ISO_SAMPLES:
            try:
                other = datetime.datetime.strptime(sample, text)
            except ValueError:
                continue
            if other != iso_datetime(sample):
                raise ValueError(
                    f"{_EXPECTED}; this one would read {sample} as another date than ISO 8601 does"
                )
        return cls(pattern=text, zoned=zoned)

    @property
    def text(self) -> str:
        """What declares this form."""
        return self.pattern or (_UTC if self.zoned else _PLAIN)

    def number(self, text: str) -> float:
        """Return a trimmed cell in seconds since 1970, in UTC if zoned; NaN if it is no such date.

        A time with a zone is none to a form without, and the other way round.
        """
        if len(text) > _LONGEST:
            return math.nan
        try:
            at = iso_datetime(text)
            if at is None and self.pattern and self._has_own_signs(text):
                at = datetime.datetime.strptime(text, self.pattern)
            if at is None or (at.tzinfo is not None) is not self.zoned:
                return math.nan
            if at.tzinfo is not None:
                at = at.astimezone(datetime.UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            return math.nan
        return ((at - _EPOCH) // _TICK) / _TICKS

    def _has_own_signs(self, text: str) -> bool:
        # strptime would take the digits and spaces of any script. What the pattern itself has, as
        # in "%Y年%m月%d日", is read.
        return text.isascii() or all(c.isascii() or c in self.pattern for c in text)

    def written(self, seconds: float) -> str:
        """Return a text in ISO 8601 that is read as ``seconds``, as short as it can be."""
        # Exact: a float of seconds in the year 9999 is a multiple of 30 microseconds.
        at = _EPOCH + round(Fraction(seconds) * _TICKS) * _TICK
        if not self.zoned and at.time() == datetime.time():
            return f"{at.date()}"
        return f"{at}{'Z' if self.zoned else ''}"
