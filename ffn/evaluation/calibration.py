"""Calibration: whether 80 % of the rows predicted with confidence 0.8 are predicted correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.shares import share_of_rows
from ffn.evaluation.inference.statistics import Interval

__all__ = ["Calibration", "ReliabilityBin", "measure_calibration"]

Array = npt.NDArray[Any]

_BINS = 15
_DRAWS = 1_999
# Number of uniform random numbers drawn at once, to bound the memory.
_DRAWN_AT_ONCE = 2**21
# With more rows, the normal approximation of a binomial sum is indistinguishable.
_TOSSED_ROWS = 2_000


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """A bin of rows whose confidence lies in (low, high].

    Attributes
    ----------
    low, high
        Bounds of the bin.
    rows
        Number of rows, at least one.
    confidence
        Mean confidence, the highest class probability of a row.
    accuracy
        Share of correctly predicted rows, with Wilson's interval.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: Interval


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Expected calibration error, and its distribution under perfect calibration.

    Attributes
    ----------
    error
        Mean distance between confidence and accuracy over 15 bins of equal width, weighted by
        their rows.
    expected, limit
        Mean and 95th percentile of the error of a perfectly calibrated model with the same
        confidences. Neither is zero, because of sampling error.
    bins
        Bins that have rows, ascending.
    """

    error: float
    expected: float
    limit: float
    bins: tuple[ReliabilityBin, ...]

    @property
    def shown_wrong(self) -> bool:
        """Whether the error exceeds the 95th percentile under perfect calibration."""
        return self.error > self.limit


def measure_calibration(
    probabilities: Array,
    labels: Array,
    seed: int,
    groups: Array | None = None,
    weights: Array | None = None,
) -> Calibration:
    """Return the calibration of predicted probabilities.

    The error is that of Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural
    Networks", equation 3: the confidence is the highest probability, the bins are open below
    and closed above. Its distribution under perfect calibration is simulated by drawing whether
    each row is correct with a probability equal to its confidence: the consistency resampling of
    Bröcker and Smith 2007, "Increasing the Reliability of Reliability Diagrams". Rows of a group
    would not be drawn independently, so what all rows of a group exceed their confidences by is
    given a random sign instead, which under perfect calibration it has.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    seed
        Seed of the simulation: the same seed gives the same figures.
    groups
        Identifiers of the rows' groups [n]; None, the default: rows are independent.
    weights
        Weights of the rows [n] in shares and means; None, the default: they count alike.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    places = np.ceil(confidence * _BINS).astype(int).clip(1, _BINS) - 1
    rows = np.bincount(places, minlength=_BINS)
    generator = np.random.default_rng(seed)
    each = np.ones(len(labels)) if weights is None else weights / weights.mean()
    of_bin, sums, hits = (
        np.bincount(places, own * each, minlength=_BINS) for own in (1.0, confidence, right)
    )
    if groups is None:
        chance = _errors_by_chance(confidence, places, generator, each)
    else:
        chance = _errors_by_signs((right - confidence) * each, places, groups, generator)
    return Calibration(
        error=float(np.abs(hits - sums).sum() / len(labels)),
        expected=float(chance.mean()),
        limit=float(np.quantile(chance, 0.95)),
        bins=tuple(
            ReliabilityBin(
                low=float(place) / _BINS,
                high=float(place + 1) / _BINS,
                rows=int(rows[place]),
                confidence=float(sums[place] / of_bin[place]),
                accuracy=share_of_rows(right, groups, weights, places == place),
            )
            for place in np.flatnonzero(rows)
        ),
    )


def _errors_by_chance(
    confidence: Array, places: Array, generator: np.random.Generator, each: Array
) -> Array:
    """Return calibration errors [draws], simulated under perfect calibration."""
    n = len(confidence)
    if n > _TOSSED_ROWS:
        variance = np.bincount(places, confidence * (1 - confidence) * each**2, minlength=_BINS)
        gaps = generator.standard_normal((_DRAWS, _BINS)) * np.sqrt(np.maximum(variance, 0))
        errors: Array = np.abs(gaps).sum(axis=1) / n
        return errors
    of_bin = (places[:, None] == np.arange(_BINS)).astype(float)
    found = []
    step = max(1, _DRAWN_AT_ONCE // n)
    for start in range(0, _DRAWS, step):
        draws = min(step, _DRAWS - start)
        gaps = (((generator.random((draws, n)) < confidence) - confidence) * each) @ of_bin
        found.append(np.abs(gaps).sum(axis=1) / n)
    return np.concatenate(found)


def _errors_by_signs(
    excess: Array, places: Array, groups: Array, generator: np.random.Generator
) -> Array:
    """Return calibration errors [draws] with a random sign for the ``excess`` [n] of each group."""
    _, own = np.unique(groups, return_inverse=True)
    count = int(own.max()) + 1
    gaps = np.bincount(own * _BINS + places, excess, minlength=count * _BINS).reshape(count, _BINS)
    found = []
    step = max(1, _DRAWN_AT_ONCE // count)
    for start in range(0, _DRAWS, step):
        signs = 2.0 * generator.integers(2, size=(min(step, _DRAWS - start), count)) - 1
        found.append(np.abs(signs @ gaps).sum(axis=1) / len(excess))
    return np.concatenate(found)
