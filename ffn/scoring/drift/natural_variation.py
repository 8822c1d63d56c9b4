"""Judge whether natural variation could explain a shifted column, or only a mistake could."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.training_table.histograms import Histogram

__all__ = ["LESS_THAN_MOVED", "Strangeness", "as_moved", "strangeness_of"]

Array = npt.NDArray[Any]

LESS_THAN_MOVED = 0.5
"""A conversion must leave at most this share of the PSI that the best plain shift leaves."""

# Limits of the distance between the means, in training's standard deviations, and of the ratio of
# the standard deviations. One season of a sine curve is up to 1.4 deviations off; the mean of a
# twelfth of a table is off by 3.3 at most.
_LITTLE, _MUCH = (2.0, 4.0), (3.0, 30.0)


class Strangeness(enum.Enum):
    """How far a column's mean and spread are from training's."""

    LITTLE = enum.auto()
    """As between seasons or places: a mistake is named only if the column's name has a unit."""
    MUCH = enum.auto()
    """Rare in real data: a mistake is named if it explains the difference except for chance."""
    IMPLAUSIBLE = enum.auto()
    """Not seen in real data: a mistake is named if it explains most of the difference."""


def strangeness_of(values: Array, times: Array, reference: Histogram) -> Strangeness:
    """Return how far a column's mean and spread are from training's.

    Parameters
    ----------
    values
        Sample of the column [s], NaN for missing.
    times
        Number of rows that each value represents [s].
    reference
        Histogram of the column in training.
    """
    moments = _moments(values, times)
    if moments is None or not reference.deviation:
        return Strangeness.IMPLAUSIBLE
    mean, deviation = moments
    shift = abs(mean - reference.mean) / reference.deviation
    ratio = deviation / reference.deviation
    stretch = max(ratio, 1 / ratio) if ratio else np.inf
    for strangeness, (most_shift, most_stretch) in (
        (Strangeness.LITTLE, _LITTLE),
        (Strangeness.MUCH, _MUCH),
    ):
        if shift <= most_shift and stretch <= most_stretch:
            return strangeness
    return Strangeness.IMPLAUSIBLE


def as_moved(values: Array, times: Array, reference: Histogram) -> Array:
    """Return the values shifted in several ways [k, s]: the alternative to any conversion.

    They are shifted to training's mean, and so that each edge of the histogram is the same
    quantile as in training. The best of these fits about as well as the best of all shifts.

    Parameters
    ----------
    values
        Sample of the column [s], NaN for missing.
    times
        Number of rows that each value represents [s].
    reference
        Histogram of the column in training.
    """
    moments = _moments(values, times)
    if moments is None:
        return values[None]
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    ordered, weights = values[known][order], np.cumsum(times[known][order])
    shares = np.cumsum(reference.counts)[:-1] / sum(reference.counts)
    places = np.searchsorted(weights, shares * weights[-1])
    quantiles = ordered[np.minimum(places, len(ordered) - 1)]
    with np.errstate(over="ignore", invalid="ignore"):
        shifts = np.append(np.array(reference.edges) - quantiles, reference.mean - moments[0])
        moved: Array = values + shifts[np.isfinite(shifts)][:, None]
    return moved


def _moments(values: Array, times: Array) -> tuple[float, float] | None:
    """Return mean and standard deviation; None if no value is known, or beyond float64."""
    known = ~np.isnan(values)
    if not known.any():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.average(values[known], weights=times[known]))
        variance = float(np.average((values[known] - mean) ** 2, weights=times[known]))
    return (mean, float(np.sqrt(variance))) if np.isfinite([mean, variance]).all() else None
