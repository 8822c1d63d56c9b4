"""Intervals and tests: SciPy's as this product needs them, and the few that it does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = [
    "Interval",
    "corrected_t",
    "holm",
    "mean_interval",
    "resampled_mean",
    "resamples_at_once",
    "wilson",
]

Array = npt.NDArray[Any]

# Up to here the bias-corrected bootstrap costs nothing; beyond, the mean's distribution is
# normal for all that can be seen.
_BOOTSTRAP_ROWS = 2_000
_DRAWN_AT_ONCE = 2**17


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Return the share ``successes / n`` with Wilson's score interval.

    Wilson 1927, without continuity correction. With n = 0 nothing is known: NaN in [0, 1].
    """
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0)
    from scipy import stats

    bounds = stats.binomtest(successes, n).proportion_ci(method="wilson")
    return Interval(successes / n, float(bounds.low), float(bounds.high))


def mean_interval(values: Array, seed: int) -> Interval:
    """Return the mean of independent losses [n], none below zero, with its interval.

    A bootstrap's (BCa: Efron 1987), or Student's t above 2,000 values.

    Parameters
    ----------
    seed
        Of the bootstrap: the same seed gives the same bounds.
    """
    from scipy import stats

    mean = float(values.mean())
    # One value, or values that differ by rounding alone, say nothing about others.
    if len(values) < 2 or np.ptp(values) <= 1e-12 * mean:
        return Interval(mean, 0.0, np.inf)
    if len(values) <= _BOOTSTRAP_ROWS:
        generator = np.random.default_rng(seed)
        result = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=4_999,
            method="BCa",
            vectorized=True,
            batch=resamples_at_once(len(values)),
            rng=generator,
        )
        low, high = (float(bound) for bound in result.confidence_interval)
    else:
        error = float(values.std(ddof=1)) / np.sqrt(len(values))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * error
        low, high = max(0.0, mean - half), mean + half
    return Interval(mean, low, high)


def resamples_at_once(n: int) -> int:
    """Return how many bootstrap resamples of n values to draw together: they fit the cache.

    The same numbers are drawn as all at once, four times as fast, and without their memory.
    """
    return max(2, _DRAWN_AT_ONCE // n // 2 * 2)


def resampled_mean(values: Array, validation_to_train: float) -> Interval:
    """Return the mean of figures from K overlapping resamples, with its interval.

    Nadeau and Bengio 2003, "Inference for the Generalization Error", section 3: resamples
    share rows, so the variance of the mean is ``(1/K + n_validation / n_train) s^2`` and not
    ``s^2 / K``; Student's t with K - 1 degrees of freedom. One figure bounds nothing, and
    without any even the mean is NaN.
    """
    k = len(values)
    if not k:
        return Interval(float("nan"), -np.inf, np.inf)
    mean = float(np.mean(values))
    if k < 2:
        return Interval(mean, -np.inf, np.inf)
    error = np.sqrt((1 / k + validation_to_train) * np.var(values, ddof=1))
    half = float(special.stdtrit(k - 1, 0.975) * error)
    return Interval(mean, mean - half, mean + half)


def corrected_t(differences: Array, validation_to_train: float) -> float:
    """Return the two-sided p-value of mean difference zero over K common resamples.

    The corrected resampled t-test of Nadeau and Bengio 2003. 1 where there are fewer than
    two differences or they are all zero.
    """
    k = len(differences)
    if k < 2 or not np.any(differences):
        return 1.0
    variance = (1 / k + validation_to_train) * np.var(differences, ddof=1)
    if variance == 0:
        return 0.0
    t = np.mean(differences) / np.sqrt(variance)
    return float(2 * special.stdtr(k - 1, -abs(t)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted by Holm's step-down method (Holm 1979), in their order."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return [float(value) for value in adjusted]
