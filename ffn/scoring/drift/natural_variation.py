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
"""Share that a conversion may leave of the PSI left by a move of the whole column."""

# Training's standard deviations between the means, and the ratio of the spreads. A season of a
# sine curve lies up to 1.4 deviations off, a twelfth of a table 3.3 at the very most.
_LITTLE, _MUCH = (2.0, 4.0), (3.0, 30.0)


class Strangeness(enum.Enum):
    """How far a column's mean and spread are from training's."""

    LITTLE = enum.auto()
    """A season or a place may be so: no mistake is named unless the column's name says a unit."""
    MUCH = enum.auto()
    """Few rows are so: a mistake is named if it explains all but chance."""
    IMPLAUSIBLE = enum.auto()
    """No rows are so: a mistake is named if it explains most of the difference."""


def strangeness_of(values: Array, times: Array, reference: Histogram) -> Strangeness:
    """Compare values [s], each so many times [s], with training's."""
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
    """Return values [s] moved so that their mean is training's: the rival of any conversion."""
    moments = _moments(values, times)
    return values if moments is None else values + (reference.mean - moments[0])


def _moments(values: Array, times: Array) -> tuple[float, float] | None:
    """Return mean and standard deviation of what is there; None without any, or beyond float64."""
    known = ~np.isnan(values)
    if not known.any():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.average(values[known], weights=times[known]))
        variance = float(np.average((values[known] - mean) ** 2, weights=times[known]))
    return (mean, float(np.sqrt(variance))) if np.isfinite([mean, variance]).all() else None
