"""How much more than chance the shares of a column differ from day to day, and week to week.

Rows of one day, and of one week, are alike, so a month of hourly weather is no sample of 720
independent rows. What the shares of its bins differ by is estimated from the training rows: with
days, or weeks, as the units, V is the covariance of a unit's shares around those of its month, and
PSI between two samples of w and v units is, to first order, ``(1/w + 1/v)`` times a sum of
chi-squared variables with the eigenvalues of ``P^-1/2 V P^-1/2`` as weights, P being the shares on
a diagonal: Rao and Scott 1984, "On chi-squared tests for multiway contingency tables with cell
proportions estimated from survey data". Two moments of it determine a scale and degrees of freedom
(Satterthwaite 1946).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_BINS", "NO_SPREAD", "Spread", "measure_spread"]

Array = npt.NDArray[Any]

MOST_BINS = 20
"""Of more bins the rarest are merged, here as in PSI."""


class Spread(NamedTuple):
    """How much the shares of a column's bins differ between units of time, beyond chance.

    Attributes
    ----------
    scale, degrees
        PSI between the shares of one unit and those of its month, less what as many independent
        rows would give, is distributed about as ``scale`` times chi-squared with so many degrees of
        freedom.
    known
        Degrees of freedom of these estimates: units less months.
    """

    scale: float
    degrees: float
    known: int


NO_SPREAD = Spread(0.0, 1.0, 0)


def measure_spread(codes: Array, bins: int, units: Array, months: Array) -> Spread:
    """Return how much the shares of bins differ between units, within each month of the year.

    Parameters
    ----------
    codes
        Bin of each row [n], from 0.
    bins
        Number of bins.
    units
        Number of the unit of time, such as a day, of each row [n].
    months
        Month of the year of each row [n], 0 to 11; all rows of a unit have the same.
    """
    codes, bins = _with_rare_together(codes, bins)
    _, first, place = np.unique(units, return_index=True, return_inverse=True)
    if bins < 2 or len(first) < 2:
        return NO_SPREAD
    counts = np.bincount(place * bins + codes, minlength=len(first) * bins).reshape(-1, bins)
    month_of_unit = months[first]
    trace = squares = excess = 0.0
    known = 0
    for month in np.unique(month_of_unit):
        own = counts[month_of_unit == month].astype(float)
        rows = own.sum(axis=1)
        number = len(own)
        if number < 2:
            continue
        share = rows / rows.sum()
        # As many units of equal size as say the same (Kish 1965).
        effective = 1 / float(np.square(share).sum())
        if effective < 1.5:
            continue
        expected = (own.sum(axis=0) + 0.5) / (rows.sum() + bins / 2)
        apart = (own / rows[:, None] - share @ (own / rows[:, None])) / np.sqrt(expected)
        spread = (apart * share[:, None]).T @ apart * effective / (effective - 1)
        degrees = number - 1
        own_trace = float(np.trace(spread))
        trace += degrees * own_trace
        squares += degrees * float(np.square(spread).sum())
        excess += degrees * (own_trace - (bins - 1) * float(share @ (1 / rows)))
        known += degrees
    if not known or trace <= 0 or squares <= 0 or excess <= 0:
        return NO_SPREAD._replace(known=known)
    trace, squares, excess = trace / known, squares / known, excess / known
    # The part of chance is left to the number of rows, which the scored file has its own of.
    scale = squares / trace * min(1.0, excess / trace)
    return Spread(scale=scale, degrees=trace**2 / squares, known=known)


def _with_rare_together(codes: Array, bins: int) -> tuple[Array, int]:
    if bins <= MOST_BINS:
        return codes, bins
    order = np.argsort(-np.bincount(codes, minlength=bins), kind="stable")
    place = np.full(bins, MOST_BINS - 1)
    place[order[: MOST_BINS - 1]] = np.arange(MOST_BINS - 1)
    return place[codes], MOST_BINS
