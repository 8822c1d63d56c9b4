"""Units of measurement in column names, and conversions between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

__all__ = ["PLAUSIBLE_FACTOR", "Conversion", "conversions"]

# Size of each unit within its dimension; common units only.
_DIMENSIONS: tuple[dict[str, float], ...] = (
    {"mm": 1, "cm": 10, "m": 1_000, "km": 1e6, "inch": 25.4, "ft": 304.8, "mile": 1_609_344},
    {"mg": 1, "g": 1_000, "kg": 1e6, "t": 1e9, "oz": 28_349.5, "lb": 453_592},
    {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000},
    {"ml": 1, "cl": 10, "dl": 100, "l": 1_000},
)
_ALSO = {"in": "inch", "inches": "inch", "foot": "ft", "feet": "ft", "lbs": "lb", "sec": "s"}
_DECIMAL = (10, 100, 1_000, 1e6)
# Factors for columns whose name has no unit: inches, ounces, pounds, minutes. Those of centimetres
# to inches, feet, miles and kilograms to pounds are below `PLAUSIBLE_FACTOR`.
_COMMON = (25.4, 28.3495, 453.592, 60)
# Size of a degree in kelvins, and kelvins at zero.
_DEGREES = {"Celsius": (1, 273.15), "Fahrenheit": (5 / 9, 459.67 * 5 / 9), "Kelvin": (1, 0)}
_WARM = {"temp", "temperature"}

PLAUSIBLE_FACTOR = 4.0
"""Factor up to which a season may change a column: wind, rainfall, the sales of December."""


class Conversion(NamedTuple):
    """A linear conversion of a column to the unit of training.

    Attributes
    ----------
    factor, offset
        The converted value is ``factor * value + offset``.
    guess
        What may have happened, such as "inches instead of cm"; empty if unknown.
    named
        Whether the column's name contains its unit.
    """

    factor: float
    offset: float
    guess: str
    named: bool

    @property
    def like_a_season(self) -> bool:
        """Whether it only changes the scale, and by no more than a season may."""
        larger = max(self.factor, 1 / self.factor)
        return not self.offset and larger <= PLAUSIBLE_FACTOR

    @property
    def only_moves(self) -> bool:
        """Whether it only shifts the column, as from kelvins to degrees Celsius."""
        return self.factor == 1


def conversions(column: str, deviation: float) -> Iterator[Conversion]:
    """Yield the conversions that would undo a mistaken unit, the most likely first.

    Parameters
    ----------
    column
        Name of the column, which may contain its unit.
    deviation
        Standard deviation of the column in training. Degrees of temperature are tried for a
        column without a unit in its name only if their offset is larger, so that no mere change
        of scale looks the same.

    Notes
    -----
    Factors up to `PLAUSIBLE_FACTOR` are tried only if the column's name contains the unit: a
    season that trebles the sales cannot be told from another unit by the values.
    """
    words = re.split(r"[^a-z]+", column.lower())
    units = [_ALSO.get(word, word) for word in words]
    named = False
    for unit in reversed(units):
        for sizes in _DIMENSIONS:
            if unit in sizes and not named:
                named = True
                for other, size in sizes.items():
                    if other != unit:
                        yield Conversion(size / sizes[unit], 0, f"{other} instead of {unit}", True)
    own = [name for name in _DEGREES if {name.lower(), name[0].lower()}.intersection(words)]
    warm = bool(own) or not _WARM.isdisjoint(words)
    for other, name in permutations(_DEGREES, 2):
        likely = name in own or (not own and warm)
        found = _degrees(other, name, named=likely)
        hidden = not named and not own and "Kelvin" not in (other, name)
        if likely or (hidden and abs(found.offset) > deviation):
            yield found
    # If the name has a unit, factors of other dimensions would fit only by chance.
    for factor in _DECIMAL if named or warm else (*_DECIMAL, *_COMMON):
        yield Conversion(factor, 0, "", False)
        yield Conversion(1 / factor, 0, "", False)


def _degrees(other: str, name: str, *, named: bool) -> Conversion:
    (size, zero), (own_size, own_zero) = _DEGREES[other], _DEGREES[name]
    guess = f"{other} instead of {name}"
    return Conversion(size / own_size, (zero - own_zero) / own_size, guess, named)
