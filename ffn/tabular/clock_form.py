"""Times of day as a column writes them, read as seconds since midnight.

They have no date and no zone: 08:30 is what a clock on the wall shows. A form is declared by
``time``, for hours from 0 to 23 as in ISO 8601, or ``time am/pm``, for hours from 1 to 12 with AM
or PM. One form never reads both: in a column of ``8:30 PM``, who knows what 8:30 is?
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

__all__ = ["ClockForm"]

# Fractions of a second have as many digits as those of dates.
_CELL = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([AaPp])[Mm])?", re.ASCII)
_PLAIN, _HALVES = "time", "time am/pm"
_TICKS = 1_000_000
_DAY_TICKS = 86_400 * _TICKS


@dataclass(frozen=True, kw_only=True)
class ClockForm:
    """How a column writes times of day.

    Attributes
    ----------
    halves
        Whether hours are those of half a day, with AM or PM; otherwise none has that.
    """

    halves: bool = False

    @classmethod
    def of(cls, text: str) -> ClockForm | None:
        """Return the form that ``text`` declares; None if it is none."""
        return cls(halves=text == _HALVES) if text in (_PLAIN, _HALVES) else None

    @property
    def text(self) -> str:
        """What declares this form."""
        return _HALVES if self.halves else _PLAIN

    def number(self, text: str) -> float:
        """Return a trimmed cell in seconds since midnight; NaN if it is no such time of day.

        Fractions of a microsecond are cut off. 24:00 and a 60th second are no times of day.
        """
        found = _CELL.fullmatch(text)
        if found is None or (found[5] is not None) is not self.halves:
            return math.nan
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        if self.halves:
            if not 1 <= hour <= 12:
                return math.nan
            hour = hour % 12 + 12 * (found[5] in "Pp")
        if hour > 23 or minute > 59 or second > 59:
            return math.nan
        ticks = int((found[4] or "")[:6].ljust(6, "0"))
        return ((hour * 3600 + minute * 60 + second) * _TICKS + ticks) / _TICKS

    def written(self, seconds: float) -> str:
        """Return a text that is read as ``seconds``, as short as it can be: ``08:30``."""
        # What is computed, such as a bound of bins, may round to the next midnight.
        ticks = min(max(round(seconds * _TICKS), 0), _DAY_TICKS - 1)
        whole, fraction = divmod(ticks, _TICKS)
        hour, minute, second = whole // 3600, whole // 60 % 60, whole % 60
        rest = f":{minute:02}"
        if second or fraction:
            rest += f":{second:02}"
        if fraction:
            rest += f".{fraction:06}".rstrip("0")
        if not self.halves:
            return f"{hour:02}{rest}"
        return f"{(hour - 1) % 12 + 1}{rest} {'PM' if hour >= 12 else 'AM'}"
