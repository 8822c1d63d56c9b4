"""Number formats: unit or currency, thousands separator, decimal mark and sign.

A format is declared by an example, the number 1234.5 as the column writes it: ``"$1,234.50"``,
``"1234.5%"``, ``"1.234,5 kg"``. It accepts:

- the unit on either side, with or without spaces; also a number without the unit, unless the unit
  is ``%`` or ``‰``, which change the value;
- thousands separated as declared (also in the Indian way, ``12,34,567``), or not at all;
- ``-``, ``+`` and the minus sign U+2212 before the number or unit, a minus after it, and ``(5)``
  for -5;
- an exponent.

The unit does not scale the number: ``12%`` is 12, as ``12 kg`` is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ffn.tabular.cells import DECIMALS

__all__ = ["EXPONENT", "SPACES", "NumberFormat", "digits_pattern", "plain_signs"]

SPACES = "\u00a0\u2007\u2009\u202f"
"""No-break, figure, thin and narrow no-break space, all read as a plain space."""

EXPONENT = "(?:[eE][+-]?[0-9]+)?"
# Minus sign, en dash, apostrophe.
_PLAIN = dict.fromkeys(SPACES, " ") | {"\u2212": "-", "\u2013": "-", "\u2019": "'"}
_THOUSANDS = ("", ",", ".", "'", " ")
# Placeholder for the unit in a masked text; no number contains it.
_UNIT = "\1"
_EXAMPLE = re.compile(
    r"(?P<before>[^0-9]*?) *1(?P<thousands>[,.' ]?)234(?:(?P<decimal>[.,])50?)? *"
    r"(?P<after>(?:[^0-9 ].*)?)"
)
_NO_UNIT = re.compile(r"[+\-()'\",\x00-\x1f\x7f]|\A[.0-9]|\A[eE]?\Z")
# They scale the value, so a number without the sign cannot be compared with one that has it.
_SCALES = ("%", "\u2030")
# float64 has up to about 300 digits before the point.
_LONGEST = 1_000
_EXPECTED = 'must be 1234.5 as the column writes it, such as "$1,234.50", "1.234,5 kg" or "1234.5%"'


def plain_signs(text: str) -> str:
    """Return ``text`` with typographic spaces, minus signs and apostrophes replaced by ASCII."""
    if not text.isascii():
        for sign, plain in _PLAIN.items():
            text = text.replace(sign, plain)
    return text


def digits_pattern(thousands: str, decimal: str) -> str:
    """Return a regular expression for an unsigned number.

    ``thousands`` is the thousands separator, empty for none; ``decimal`` is the decimal mark.
    """
    t, mark = re.escape(thousands), re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        western = f"[1-9][0-9]{{0,2}}(?:{t}[0-9]{{3}})+"
        indian = f"[1-9][0-9]?(?:{t}[0-9]{{2}})+{t}[0-9]{{3}}"
        # Longest first: Python takes the first alternative that matches.
        whole = f"(?:{indian}|{western}|{whole})"
    return f"(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+){EXPONENT}"


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """How a column writes its numbers.

    Attributes
    ----------
    unit
        Text beside the number; empty for none.
    before
        Whether the unit is written before the number; when reading, either side is accepted.
    thousands
        Thousands separator; empty for none.
    decimal
        Decimal mark.
    """

    unit: str = ""
    before: bool = False
    thousands: str = ""
    decimal: str = "."

    def __post_init__(self) -> None:
        sound = (
            self.thousands in _THOUSANDS
            and self.decimal in DECIMALS
            and self.thousands != self.decimal
            and (not self.unit or not _NO_UNIT.search(self.unit))
        )
        if not sound:
            raise ValueError(_EXPECTED)

    @classmethod
    def of(cls, example: str) -> NumberFormat:
        """Return the format in which ``example`` is 1234.5.

        Raises
        ------
        ValueError
            ``example`` is not 1234.5 in any supported format.
        """
        found = _EXAMPLE.fullmatch(plain_signs(example).strip())
        if found is None or (found["before"].strip() and found["after"]):
            raise ValueError(_EXPECTED)
        other = "," if found["thousands"] == "." else "."
        return cls(
            unit=found["before"].strip() or found["after"],
            before=bool(found["before"].strip()),
            thousands=found["thousands"],
            decimal=found["decimal"] or other,
        )

    @property
    def example(self) -> str:
        """The number 1234.5 in this format."""
        fraction = "50" if self.unit and self.before else "5"
        return self._beside(f"1{self.thousands}234{self.decimal}{fraction}")

    @property
    def needs_unit(self) -> bool:
        """Whether a number without the unit is refused, as 0.12 may mean 12 % or 0.12 %."""
        return self.unit in _SCALES

    def written(self, digits: str, *, negative: bool = False) -> str:
        """Return a number in this format, with its unit and without thousands separators.

        Parameters
        ----------
        digits
            The unsigned number, with a decimal point.
        negative
            Whether to write a minus sign.
        """
        text = self._beside(self.bare(digits))
        return f"-{text}" if negative else text

    def bare(self, digits: str) -> str:
        """Return a number (``digits`` with a decimal point) in this format, but without the unit.

        It is read as that number, unless `needs_unit`.
        """
        return digits.replace(".", self.decimal)

    def number(self, text: str) -> float:
        """Return the number in the cell ``text``; NaN if it has none, or one beyond float64."""
        if len(text) > _LONGEST:
            return math.nan
        # Without surrounding spaces the expression never backtracks far: its time is linear.
        masked = self.masked(text).strip(" ")
        if not self._whole.fullmatch(masked):
            return math.nan
        digits = self._digits.search(masked)
        # Every alternative of the pattern contains digits.
        assert digits is not None  # noqa: S101
        around = masked[: digits.start()] + masked[digits.end() :]
        number = float(digits[0].replace(self.thousands, "").replace(self.decimal, "."))
        if not math.isfinite(number):
            return math.nan
        return -number if "-" in around or "(" in around else number

    def masked(self, text: str) -> str:
        """Return ``text`` with the unit replaced by one byte, and plain spaces and signs."""
        text = plain_signs(text)
        if not self.unit:
            return text
        # A cell that contains the placeholder itself must not become a number.
        return text.replace(_UNIT, "\2").replace(self.unit, _UNIT)

    @cached_property
    def pattern(self) -> str:
        """Regular expression, for Python and RE2, that matches masked texts that are numbers."""
        d, u = digits_pattern(self.thousands, self.decimal), _UNIT
        forms = []
        if not self.needs_unit:
            forms += [f"[+-]? *{d}", f"{d} *-", rf"\( *{d} *\)"]
        if self.unit:
            either = f"(?:{u} *{d}|{d} *{u})"
            forms += [f"[+-]? *{either}", f"{either} *-", rf"\( *{either} *\)"]
            forms += [f"{u} *[+-] *{d}", f"{d} *- *{u}", rf"{u} *\( *{d} *\)", rf"\( *{d} *\) *{u}"]
        return f"(?:{'|'.join(forms)})"

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return _compiled(self.pattern)

    @cached_property
    def _digits(self) -> re.Pattern[str]:
        return _compiled(digits_pattern(self.thousands, self.decimal))

    def _beside(self, number: str) -> str:
        space = (
            " " if self.unit and (self.unit[-1] if self.before else self.unit[0]).isalpha() else ""
        )
        return f"{self.unit}{space}{number}" if self.before else f"{number}{space}{self.unit}"


@lru_cache(64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
