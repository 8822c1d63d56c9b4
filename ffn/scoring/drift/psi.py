"""Population stability index (PSI) of two histograms, and its distribution without drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Distance",
    "chance_limit",
    "chi2_quantile",
    "distribution_distance",
    "f_quantile",
    "psi",
    "psi_of_each",
]

Array = npt.NDArray[Any]

# Of more bins the rarest are merged: their counts are too small for the null distribution, and no
# single one of them matters.
_MOST_BINS = 20


@dataclass(frozen=True, kw_only=True)
class Distance:
    """Distance of a histogram from its reference.

    Attributes
    ----------
    psi
        Population stability index, see `psi`.
    limit
        PSI that is exceeded without drift with the given probability.
    total_variation
        Effect size, 0 to 1: the share of rows that would have to move to another bin.
    """

    psi: float
    limit: float
    total_variation: float


def psi(found: Array, expected: Array) -> float:
    """Return the population stability index of two histograms, in nats.

    The sum over bins of ``(p - q) ln(p / q)`` (Siddiqi 2006, *Credit Risk Scorecards*). With B
    bins, m rows expected and n found, ``q = (expected + 1/2) / (m + B/2)`` and
    ``p = (found + q B/2) / (n + B/2)``: half a row per bin is added, distributed as q. So an empty
    bin gives no infinity, and smoothing moves p towards q, never away from it.

    Parameters
    ----------
    found
        Counts by bin [B].
    expected
        Counts of the reference by bin [B].
    """
    return float(psi_of_each(found[None], expected)[0])


def psi_of_each(found: Array, expected: Array) -> Array:
    """Return the `psi` [k] of several histograms against one reference.

    Parameters
    ----------
    found
        Counts by histogram and bin [k, B].
    expected
        Counts of the reference by bin [B].
    """
    bins = len(expected)
    q = (expected + 0.5) / (expected.sum() + bins / 2)
    p = (found + q * bins / 2) / (found.sum(axis=1, keepdims=True) + bins / 2)
    indices: Array = ((p - q) * np.log(p / q)).sum(axis=1)
    return indices


def distribution_distance(
    found: Sequence[float], expected: Sequence[float], alpha: float
) -> Distance:
    """Compare two histograms with the same bins.

    Parameters
    ----------
    found
        Counts by bin [B].
    expected
        Counts of the reference by bin [B].
    alpha
        Probability of a false alarm, as for `chance_limit`.
    """
    own, reference = _with_rare_together(np.array(found), np.array(expected))
    n, m = own.sum(), reference.sum()
    if not n or not m:
        return Distance(psi=0.0, limit=float("inf"), total_variation=0.0)
    return Distance(
        psi=psi(own, reference),
        limit=chance_limit(float(n), reference, alpha),
        total_variation=float(np.abs(own / n - reference / m).sum() / 2),
    )


def chance_limit(n: float, expected: Sequence[int] | Array, alpha: float) -> float:
    """Return the PSI that is exceeded without drift with probability ``alpha``.

    Parameters
    ----------
    n
        Number of rows, or the effective sample size.
    expected
        Counts of the reference by bin [B].
    alpha
        Probability of a false alarm.

    Notes
    -----
    Without drift PSI is distributed about as ``(1/n + 1/m)`` times chi-squared with B - 1
    degrees of freedom (Yurdakul and Naranjo 2020, *Journal of Risk Model Validation* 14(4)).
    """
    quantile = chi2_quantile(1 - alpha, len(expected) - 1)
    return (1 / n + 1 / int(np.sum(expected))) * quantile


def f_quantile(probability: float, degrees: float, known: float) -> float:
    """Return ``degrees`` times a quantile of F: that of chi-squared with an estimated scale.

    Paulson's approximation (1942, "An approximate normalization of the analysis of variance
    distribution"), which is that of Wilson and Hilferty on both sides.

    Parameters
    ----------
    probability
        Probability that the quantile is not exceeded, between 0.5 and 1.
    degrees
        Degrees of freedom of the chi-squared variable, above 0.
    known
        Degrees of freedom with which the scale was estimated, above 0.
    """
    z = NormalDist().inv_cdf(probability)
    a, b = 2 / (9 * degrees), 2 / (9 * known)
    # Cube roots of F at which ((1 - b) f - (1 - a)) / sqrt(a + b f²) is z.
    square, product = (1 - b) ** 2 - z**2 * b, (1 - a) * (1 - b)
    if square <= 0:
        return float("inf")
    root = product**2 - square * ((1 - a) ** 2 - z**2 * a)
    return float(degrees * ((product + np.sqrt(max(0.0, root))) / square) ** 3)


def chi2_quantile(probability: float, degrees: int) -> float:
    """Return a quantile of the chi-squared distribution by Wilson and Hilferty's cube (1931).

    Up to a tenth too high for one or two degrees of freedom, off by less than a percent for more.
    SciPy has the exact value but takes longer to import than it takes to score a file.

    Parameters
    ----------
    probability
        Probability that the quantile is not exceeded, between 0 and 1.
    degrees
        Degrees of freedom; 0 gives 0.
    """
    if degrees < 1:
        return 0.0
    spread = 2 / (9 * degrees)
    z = NormalDist().inv_cdf(probability)
    return float(degrees * (1 - spread + z * np.sqrt(spread)) ** 3)


def _with_rare_together(found: Array, expected: Array) -> tuple[Array, Array]:
    if len(expected) <= _MOST_BINS:
        return found, expected
    order = np.argsort(-expected, kind="stable")
    kept, rare = order[: _MOST_BINS - 1], order[_MOST_BINS - 1 :]
    return tuple(  # type: ignore[return-value]
        np.append(counts[kept], counts[rare].sum()) for counts in (found, expected)
    )
