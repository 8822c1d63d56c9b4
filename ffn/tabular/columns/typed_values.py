"""Match typed values with the texts of a categorical column: ``True`` with TRUE, 1 with 01."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property

import numpy as np

from ffn.tabular.cells import EXCHANGED, MISSING, UNKNOWN, is_number
from ffn.tabular.dates.moments import Moment, read_moments, read_time

__all__ = ["Spellings", "ValueKind"]

# Spellings of true and false, in any case.
_WRITTEN = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"))

Index = dict[Hashable, tuple[int, ...]]


class ValueKind(StrEnum):
    """Kinds of typed values; the values of the enumeration are used in messages."""

    TRUTH = "true and false"
    NUMBER = "numbers"
    FLOAT64 = "64-bit floats"
    FLOAT32 = "32-bit floats"
    FLOAT16 = "16-bit floats"
    MOMENT = "dates or times without a time zone"
    INSTANT = "times with a time zone"
    TIME = "times of day"


# Bits of the significand: from 2 to this power on, not every integer is representable.
_BITS = {ValueKind.FLOAT64: 53, ValueKind.FLOAT32: 24, ValueKind.FLOAT16: 11}
_FLOATS = {
    ValueKind.FLOAT64: np.float64,
    ValueKind.FLOAT32: np.float32,
    ValueKind.FLOAT16: np.float16,
}


class Spellings:
    """Index of the texts of a categorical column in training by the values they stand for.

    Parameters
    ----------
    categories
        Texts, by code.
    missing_values
        Texts that mean "no value".
    decimal
        Decimal mark of numbers among the texts.
    """

    def __init__(
        self, categories: Sequence[str], missing_values: Iterable[str], decimal: str = "."
    ) -> None:
        self.categories = tuple(categories)
        self._codes = {text: code for code, text in enumerate(categories)}
        self._codes |= dict.fromkeys(missing_values, MISSING)
        self._decimal = decimal
        self._indexes: dict[ValueKind, Index] = {}

    def candidates(self, kind: ValueKind, value: Hashable) -> tuple[int, ...]:
        """Return the codes that a value may stand for.

        Parameters
        ----------
        kind, value
            ``TRUTH``: a bool. ``NUMBER``: an int or a Decimal. Floats: a float. ``MOMENT``: an
            int, nanoseconds since 1970-01-01 00:00 by the clock; ``INSTANT``: the same in UTC.
            ``TIME``: nanoseconds since midnight.

        Returns
        -------
        codes
            Empty if the value is unknown from training; several if it is ambiguous, including
            ``UNKNOWN`` if it may be an unknown value.
        """
        found = self._index(kind).get(value, ())
        bits = _BITS.get(kind)
        if found and bits and isinstance(value, float) and abs(value) >= 2.0**bits:
            # Another integer, such as 9007199254740993, may have been rounded to this float.
            return (*found, UNKNOWN)
        return found

    def stand_for(self, kind: ValueKind) -> bool:
        """Return whether any category can be read as a value of this ``kind``."""
        return any(code >= 0 for codes in self._index(kind).values() for code in codes)

    def text(self, code: int) -> str:
        """Return a text that has this ``code``: a category, or one that means "no value"."""
        if code >= 0:
            return self.categories[code]
        return next(text for text, own in self._codes.items() if own == code)

    def _index(self, kind: ValueKind) -> Index:
        if kind not in self._indexes:
            values: dict[Hashable, set[int]] = {}
            for value, code in self._values(kind):
                values.setdefault(value, set()).add(code)
            self._indexes[kind] = {
                # Categories first, for messages.
                value: tuple(sorted(codes, reverse=True))
                for value, codes in values.items()
            }
        return self._indexes[kind]

    def _values(self, kind: ValueKind) -> Iterator[tuple[Hashable, int]]:
        """Yield pairs of a value of this kind and a code that it may have."""
        match kind:
            case ValueKind.TRUTH:
                yield from self._truths()
            case ValueKind.NUMBER:
                for text, code in self._numbers:
                    try:
                        yield Decimal(text), code
                    except InvalidOperation:
                        # The exponent is beyond the range of Decimal.
                        continue
            case ValueKind.FLOAT64 | ValueKind.FLOAT32 | ValueKind.FLOAT16:
                values = np.array([float(text) for text, _ in self._numbers])
                with np.errstate(over="ignore"):
                    rounded = values.astype(_FLOATS[kind]).tolist()
                yield from zip(rounded, (code for _, code in self._numbers), strict=True)
            case ValueKind.MOMENT | ValueKind.INSTANT:
                zoned = kind is ValueKind.INSTANT
                yield from ((at, code) for at, has_zone, code in self._moments if has_zone == zoned)
            case ValueKind.TIME:
                for text, code in self._codes.items():
                    if (since := read_time(text)) is not None:
                        yield since, code

    @cached_property
    def _numbers(self) -> list[tuple[str, int]]:
        """The texts that are numbers, with a decimal point, and their codes."""
        exchange = EXCHANGED if self._decimal == "," else {}
        return [
            (text.translate(exchange), code)
            for text, code in self._codes.items()
            if is_number(text, self._decimal)
        ]

    def _truths(self) -> Iterator[tuple[bool, int]]:
        by_word: dict[str, list[int]] = {}
        for text, code in self._codes.items():
            by_word.setdefault(text.casefold(), []).append(code)
        for true, false in _WRITTEN:
            # "true" without "false" is a boolean; "t" or "no" alone may be anything.
            if (true in by_word and false in by_word) or true == "true":
                yield from ((True, code) for code in by_word.get(true, ()))
                yield from ((False, code) for code in by_word.get(false, ()))
        numbers = {float(text) for text, code in self._numbers if code >= 0}
        if numbers == {0.0, 1.0}:
            for text, code in self._numbers:
                if float(text) in numbers:
                    yield float(text) == 1.0, code

    @cached_property
    def _moments(self) -> list[tuple[int, bool, int]]:
        """Nanoseconds, presence of a zone, and code of each text that is a date."""
        read = {text: list(read_moments(text)) for text in self._codes}
        orders = [{moment.order for moment in found} for found in read.values()]
        told = set.intersection({"dm", "md"}, *(own for own in orders if own - {""}))
        found = []
        for text, moments in read.items():
            for moment in moments:
                if len(told) == 1 and moment.order not in ("", *told):
                    continue
                found.append((moment.nanoseconds, moment.zoned, self._codes[text]))
                if len(told) != 1 and _depends(moment, moments):
                    found.append((moment.nanoseconds, moment.zoned, UNKNOWN))
        return found


def _depends(moment: Moment, moments: Sequence[Moment]) -> bool:
    """Return whether another reading of the text gives another moment."""
    return any(other.nanoseconds != moment.nanoseconds for other in moments)
