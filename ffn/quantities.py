"""Format figures for people: counts, shares, p-values, intervals, durations and sizes.

Counts have thousands separators and a noun in the singular or plural. Estimates are shown with
their intervals, and rounding never moves a figure across a limit. Machine-readable output (CSV,
JSON) is not formatted here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

__all__ = [
    "NOTHING",
    "both_told_apart",
    "counted",
    "difference",
    "interval",
    "listed",
    "more",
    "p_equals",
    "p_value",
    "percent",
    "seconds",
    "share_of",
    "signed",
    "size",
    "told_apart",
    "was_or_were",
]

NOTHING = "\N{EN DASH}"

_MOST_DECIMALS = 17


class Bounded(Protocol):
    """An estimate with the bounds of its interval."""

    @property
    def value(self) -> float:
        """The estimate; NaN if there is none."""

    @property
    def low(self) -> float:
        """Lower bound; infinite if there is none."""

    @property
    def high(self) -> float:
        """Upper bound; infinite if there is none."""


def counted(number: int, what: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 row``, ``1,234 rows``.

    Parameters
    ----------
    number
        The count.
    what
        Noun in the singular: ``row``, ``held-out row``.
    plural
        Noun in the plural; default: ``what`` with an s.
    """
    return f"{number:,} {what if number == 1 else plural or f'{what}s'}"


def was_or_were(number: int) -> str:
    """Return the verb for so many things."""
    return "was" if number == 1 else "were"


def more(number: int, what: str, plural: str = "") -> str:
    """Return ``1 column more``, ``12 columns more``; parameters as for `counted`."""
    return f"{counted(number, what, plural)} more"


def listed(names: Sequence[str]) -> str:
    """Return one or more texts as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def p_value(p: float) -> str:
    """Return a p-value for a table: ``0.043``, or ``< 0.001``.

    It has three decimals, and more where rounding would reach the usual levels 0.05 and 0.01.
    """
    if p < 0.001:
        return "< 0.001"
    return max((told_apart(p, level, 3) for level in (0.05, 0.01)), key=len)


def p_equals(p: float) -> str:
    """Return a p-value for prose: ``p = 0.043`` or ``p < 0.001``."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def told_apart(value: float, limit: float, decimals: int) -> str:
    """Return ``value`` with at least ``decimals`` decimals, and as many as set it off ``limit``.

    0.8996 with a limit of 0.9 is not rounded to "0.900", which would seem to reach the limit.
    """
    while value != limit and decimals < _MOST_DECIMALS:
        shown = float(f"{value:.{decimals}f}")
        if (shown < limit) == (value < limit) and shown != limit:
            break
        decimals += 1
    return f"{value:.{decimals}f}"


def both_told_apart(value: float, limit: float, decimals: int) -> tuple[str, str]:
    """Return ``value`` and ``limit`` with at least ``decimals`` decimals, and as many as differ."""
    while value != limit and decimals < _MOST_DECIMALS:
        shown, shown_limit = f"{value:.{decimals}f}", f"{limit:.{decimals}f}"
        if shown != shown_limit:
            return shown, shown_limit
        decimals += 1
    return f"{value:.{decimals}f}", f"{limit:.{decimals}f}"


def interval(figure: Bounded) -> str:
    """Return an estimate, ``figure``, with its interval: ``0.967 [0.833, 0.994]``.

    Three decimals, or three significant digits below 0.1. A NaN estimate is a dash. An infinite
    bound is written in words; without an upper bound, a lower one of 0 is none (losses are never
    negative), so the text is ``(no interval)``.
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
    """Return a number with its sign and ``decimals`` decimals; NaN is a dash.

    A nonzero number that would be rounded to zero has one significant digit instead.
    """
    if math.isnan(number):
        return NOTHING
    text = f"{number:+.{decimals}f}"
    if number and not float(text):
        return f"{number:+.1g}"
    # A negative zero is written with a plus.
    return text if number else f"{0.0:+.{decimals}f}"


def difference(figure: Bounded, decimals: int = 4) -> str:
    """Return a difference with its interval: ``-0.1150 [-0.1320, -0.0410]``.

    A nonzero number is never rounded to zero, so the text shows whether the interval contains
    zero. An infinite bound is written in words.

    Parameters
    ----------
    figure
        The difference and its bounds.
    decimals
        Decimals of all three numbers; 4 by default, as differences of accuracies and losses are
        small.
    """
    if math.isinf(figure.low) and math.isinf(figure.high):
        return f"{signed(figure.value, decimals)} (no interval)"
    low, high = (
        f"no {side} bound" if math.isinf(bound) else signed(bound, decimals)
        for bound, side in ((figure.low, "lower"), (figure.high, "upper"))
    )
    return f"{signed(figure.value, decimals)} [{low}, {high}]"


def percent(share: float) -> str:
    """Return a share (0 to 1) as ``20 %``, ``12.5 %`` or ``0.4 %``: up to three digits.

    Only a share of 1 is ``100 %``.
    """
    digits = f"{100 * share:.3g}"
    if share < 1 and float(digits) == 100:
        digits = told_apart(100 * share, 100, 1)
    return f"{digits} %"


def share_of(part: int, whole: int) -> str:
    """Return ``part`` of ``whole`` as ``33.3 %``; only exactly none is ``0.0 %``, all ``100.0 %``.

    Shares that would round to these are ``< 0.1 %`` and ``> 99.9 %``.
    """
    text = f"{100 * part / whole:.1f}" if whole else "0.0"
    if part and text == "0.0":
        return "< 0.1 %"
    return "> 99.9 %" if part < whole and text == "100.0" else f"{text} %"


def seconds(duration: float) -> str:
    """Return a duration in seconds without the unit: three digits, or whole seconds from 100 on."""
    return f"{duration:.3g}" if duration < 100 else f"{duration:,.0f}"


def size(count: int) -> str:
    """Return ``count`` bytes as ``834 bytes`` or ``1.2 MB`` (powers of 1000)."""
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
    # For very large and very small figures only the power of ten matters.
    if abs(value) >= 1e6 or decimals > 6:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"
