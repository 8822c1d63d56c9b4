"""Figures as text: never a bare point where there is an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # It imports SciPy, and scoring needs numbers as text alone.
    from ffn.models.assessment.statistics import Interval

__all__ = ["NOTHING", "interval", "p_value", "percent", "seconds", "size"]

NOTHING = "\N{EN DASH}"


def interval(figure: Interval) -> str:
    """Return ``0.967 [0.833, 0.994]``: three decimals, or three digits of a small figure.

    A figure of nothing (NaN) is a dash, with its bounds.
    """
    decimals = 3
    if 0 < abs(figure.value) < 0.1:
        decimals = min(6, 2 - math.floor(math.log10(abs(figure.value))))
    value, low, high = (
        _number(number, decimals) for number in (figure.value, figure.low, figure.high)
    )
    return f"{value} [{low}, {high}]"


def p_value(p: float) -> str:
    """Return ``p`` with three decimals; below 0.001 only says so."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """Return a share as ``20%``, ``12.5%`` or ``0.4%``: three digits, if it has so many."""
    return f"{100 * share:.3g}%"


def seconds(duration: float) -> str:
    """Return wall time in seconds, to three digits or the whole second."""
    return f"{duration:.3g}" if duration < 100 else f"{duration:,.0f}"


def size(count: int) -> str:
    """Return bytes as ``834 bytes`` or ``1.2 MB``, a million bytes."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    power = min(4, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:,.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{decimals}f}" if abs(value) < 1e6 else f"{value:.3g}"
