"""Figures as text: counts, shares, p-values and intervals, written in the same way everywhere.

Counts have a comma between thousands and a noun in the right number. A figure never comes without
its interval where it has one, and never looks as if it were on the other side of a limit than it
is. Whatever a machine reads (CSV, JSON) does not go through here.
"""

from __future__ import annotations

import math
from typing import Protocol

__all__ = [
    "NOTHING",
    "both_told_apart",
    "counted",
    "difference",
    "interval",
    "more",
    "p_equals",
    "p_value",
    "percent",
    "seconds",
    "share_of",
    "signed",
    "size",
    "told_apart",
]

NOTHING = "\N{EN DASH}"

_MOST_DECIMALS = 17


class Bounded(Protocol):
    """A figure with the bounds of its interval."""

    @property
    def value(self) -> float:
        """The figure; NaN if there is none."""

    @property
    def low(self) -> float:
        """Lower bound; infinite if nothing bounds the figure."""

    @property
    def high(self) -> float:
        """Upper bound; infinite if nothing bounds the figure."""


def counted(number: int, what: str, plural: str = "") -> str:
    """Return ``1 row``, ``1,234 rows``: the count and its noun.

    Parameters
    ----------
    what
        One of them, in as many words as are needed: ``row``, ``held-out row``.
    plural
        Several of them, where that is not ``what`` with an s.
    """
    return f"{number:,} {what if number == 1 else plural or f'{what}s'}"


def more(number: int, what: str, plural: str = "") -> str:
    """Return ``1 column more``, ``12 columns more``; parameters as for `counted`."""
    return f"{counted(number, what, plural)} more"


def p_value(p: float) -> str:
    """Return a p-value as a table has it: ``0.043``, or ``< 0.001``.

    Three decimals, and more where the usual levels 0.05 and 0.01 would be reached by rounding.
    """
    if p < 0.001:
        return "< 0.001"
    return max((told_apart(p, level, 3) for level in (0.05, 0.01)), key=len)


def p_equals(p: float) -> str:
    """Return a p-value as prose has it: ``p = 0.043`` or ``p < 0.001``."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def told_apart(value: float, limit: float, decimals: int) -> str:
    """Return ``value`` with so many decimals, and more where it would look like ``limit``.

    0.8996 beside a limit of 0.9 is not written "0.900", which would reach it.
    """
    while value != limit and decimals < _MOST_DECIMALS:
        shown = float(f"{value:.{decimals}f}")
        if (shown < limit) == (value < limit) and shown != limit:
            break
        decimals += 1
    return f"{value:.{decimals}f}"


def both_told_apart(value: float, limit: float, decimals: int) -> tuple[str, str]:
    """Return a figure and a limit with so many decimals, and more where they would look alike."""
    while value != limit and decimals < _MOST_DECIMALS:
        shown, shown_limit = f"{value:.{decimals}f}", f"{limit:.{decimals}f}"
        if shown != shown_limit:
            return shown, shown_limit
        decimals += 1
    return f"{value:.{decimals}f}", f"{limit:.{decimals}f}"


def interval(figure: Bounded) -> str:
    """Return ``0.967 [0.833, 0.994]``: three decimals, or three digits of a small figure.

    A figure of nothing (NaN) is a dash, with its bounds. An infinite bound is told in words; so
    is that nothing is known, where the other bound is the zero below which no loss can be.
    """
    low, value, high = figure.low, figure.value, figure.high
    if math.isinf(high) and (math.isinf(low) or not low):
        return f"{_number(value, _decimals(value))} (no interval)"
    decimals = _decimals(value)
    shown = [
        f"no {side} bound" if math.isinf(bound) else _number(bound, decimals)
        for bound, side in ((low, "lower"), (high, "upper"))
    ]
    return f"{_number(value, decimals)} [{', '.join(shown)}]"


def signed(number: float, decimals: int = 4) -> str:
    """Return a number with its sign; what is not zero never looks like it, NaN is a dash."""
    if math.isnan(number):
        return NOTHING
    text = f"{number:+.{decimals}f}"
    if number and not float(text):
        return f"{number:+.1g}"
    # Without the sign of a negative zero.
    return text if number else f"{0.0:+.{decimals}f}"


def difference(figure: Bounded, decimals: int = 4) -> str:
    """Return ``-0.1150 [-0.1320, -0.0410]``: a difference and its bounds, each with its sign.

    What is not zero never looks like it, so that whether the interval has zero in it can be read
    off. An infinite bound is told in words.
    """
    if math.isinf(figure.low) and math.isinf(figure.high):
        return f"{signed(figure.value, decimals)} (no interval)"
    low, high = (
        f"no {side} bound" if math.isinf(bound) else signed(bound, decimals)
        for bound, side in ((figure.low, "lower"), (figure.high, "upper"))
    )
    return f"{signed(figure.value, decimals)} [{low}, {high}]"


def percent(share: float) -> str:
    """Return a share as ``20 %``, ``12.5 %`` or ``0.4 %``: three digits, if it has so many.

    Only all is ``100 %``.
    """
    digits = f"{100 * share:.3g}"
    if share < 1 and float(digits) == 100:
        digits = told_apart(100 * share, 100, 1)
    return f"{digits} %"


def share_of(part: int, whole: int) -> str:
    """Return a part of ``whole`` as ``33.3 %``; only none of it is ``0.0 %``, and all ``100.0 %``.

    What is between these and would look like them is ``< 0.1 %`` or ``> 99.9 %``.
    """
    text = f"{100 * part / whole:.1f}" if whole else "0.0"
    if part and text == "0.0":
        return "< 0.1 %"
    return "> 99.9 %" if part < whole and text == "100.0" else f"{text} %"


def seconds(duration: float) -> str:
    """Return wall time in seconds, to three digits or the whole second."""
    return f"{duration:.3g}" if duration < 100 else f"{duration:,.0f}"


def size(count: int) -> str:
    """Return bytes as ``834 bytes`` or ``1.2 MB``, a million bytes."""
    if count < 1000:
        return counted(count, "byte")
    power = min(4, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:,.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def _decimals(value: float) -> int:
    if not 0 < abs(value) < 0.1:
        return 3
    return 2 - math.floor(math.log10(abs(value)))


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return NOTHING
    # Of very large and very small figures only the power of ten is of interest.
    if abs(value) >= 1e6 or decimals > 6:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"
