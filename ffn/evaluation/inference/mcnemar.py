"""Exact McNemar test of two models' accuracies, with a compatible confidence interval.

The test is McNemar's (1947) in its exact form. The interval is that of Fay and Lumbard 2021,
"Confidence intervals for difference in proportions for matched pairs compatible with exact
McNemar's or sign tests", Statistics in Medicine 40(5), 1147-1159: it excludes zero exactly where
the two-sided test rejects. In R it is ``exact2x2::mcnemarExactDP``.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.paired import LabelCounts, p_better
from ffn.evaluation.inference.statistics import Interval

__all__ = ["compatible_interval", "two_sided_p"]

Array = npt.NDArray[Any]

# One-sided level of each bound, so that two bounds make a 95 % interval.
_ALPHA = 0.025
# Points of the Gauss-Legendre quadrature. With four times as many, no bound changes by 1e-4, and
# none by 1e-6 if few rows among many change.
_POINTS = 400


def two_sided_p(counts: LabelCounts) -> float:
    """Return the two-sided p-value of equal accuracy: twice the smaller tail, at most 1.

    Parameters
    ----------
    counts
        Labels gained and lost.
    """
    gained, lost = counts.gained, counts.lost
    return min(1.0, 2 * min(p_better(gained, lost), p_better(lost, gained)))


def compatible_interval(counts: LabelCounts) -> Interval:
    """Return the challenger's accuracy minus production's, with a 95 % interval.

    The interval contains zero if and only if `two_sided_p` is at least 0.05.

    Parameters
    ----------
    counts
        Labels gained and lost.
    """
    gained, lost, rows = counts.gained, counts.lost, counts.rows
    low, high = _lower_bound(gained, lost, rows), -_lower_bound(lost, gained, rows)
    return Interval(counts.difference, low, high)


@functools.cache
def _quadrature() -> tuple[Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    return points, weights


def _lower_bound(gained: int, lost: int, rows: int) -> float:
    """Return the lower 97.5 % confidence bound of the share of rows gained minus the share lost.

    The difference is ``changed * (2 * of_changed - 1)``: the share of rows that change at all, and
    the share gained among these. Each has Clopper and Pearson's confidence distributions (1934), a
    lower and an upper one, which are Beta distributions. The bound is the 2.5 % quantile of the
    product, with the lower distribution of the share gained, and of the share changed the one that
    makes the product smaller: the lower one where it is positive, else the upper one.
    """
    from scipy import optimize, special

    changed, same = gained + lost, rows - gained - lost
    # The confidence probability that the product is not positive.
    tail = p_better(gained, lost)
    if tail >= _ALPHA and not gained:
        return -float(special.betaincinv(changed + 1, same, 1 - _ALPHA)) if same else -1.0
    if tail >= _ALPHA and not same:
        return 2 * float(special.betaincinv(gained, lost + 1, _ALPHA)) - 1
    # The expectation over the share gained is an integral over its quantiles: those that make the
    # product positive, or those that do not.
    start, end = (tail, 1.0) if tail < _ALPHA else (0.0, tail)
    points, weights = _quadrature()
    quantiles = start + (end - start) * (points + 1) / 2
    weights = weights * (end - start) / 2
    factor = 2 * special.betaincinv(gained, lost + 1, quantiles) - 1

    def positive(bound: float) -> float:
        below = special.betainc(changed, same + 1, np.minimum(1, bound / factor))
        return tail + float(weights @ below) - _ALPHA

    def negative(bound: float) -> float:
        below = special.betaincc(changed + 1, same, np.minimum(1, bound / factor))
        return float(weights @ below) - _ALPHA

    if tail < _ALPHA:
        return float(optimize.brentq(positive, 0.0, 1.0))
    return float(optimize.brentq(negative, -1.0, 0.0))
