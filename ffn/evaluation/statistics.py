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

# Up to this number of rows the BCa bootstrap is cheap; with more, the mean is normally distributed
# for practical purposes.
_BOOTSTRAP_ROWS = 2_000
_DRAWN_AT_ONCE = 2**17


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Return the proportion ``successes / n`` with Wilson's score interval.

    Wilson 1927, without continuity correction.

    Parameters
    ----------
    successes
        Number of successes, 0 to n.
    n
        Number of trials. With n = 0 the result is NaN in [0, 1].
    """
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0)
    from scipy import stats

    bounds = stats.binomtest(successes, n).proportion_ci(method="wilson")
    return Interval(successes / n, float(bounds.low), float(bounds.high))


def mean_interval(values: Array, seed: int) -> Interval:
    """Return the mean of independent losses with its interval.

    The interval is that of a BCa bootstrap (Efron 1987), or Student's t above 2,000 values.

    Parameters
    ----------
    values
        Losses [n], not negative.
    seed
        Seed of the bootstrap: the same seed gives the same bounds.
    """
    from scipy import stats

    mean = float(values.mean())
    # The variance cannot be estimated from one value, or from values that are equal up to rounding.
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
        # Values of groups may be negative, their mean is not.
        low, high = (max(0.0, float(bound)) for bound in result.confidence_interval)
    else:
        error = float(values.std(ddof=1)) / np.sqrt(len(values))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * error
        low, high = max(0.0, mean - half), mean + half
    return Interval(mean, low, high)


def resamples_at_once(n: int) -> int:
    """Return how many bootstrap resamples of n values to draw at once.

    So many fit into the processor's cache: the same numbers are drawn as in one call, four times
    as fast and with bounded memory.

    Parameters
    ----------
    n
        Number of values in a resample.
    """
    return max(2, _DRAWN_AT_ONCE // n // 2 * 2)


def resampled_mean(values: Array, validation_to_train: float) -> Interval:
    """Return the mean of a metric over K overlapping resamples, with its interval.

    Nadeau and Bengio 2003, "Inference for the Generalization Error", section 3: resamples
    share rows, so the variance of the mean is ``(1/K + n_validation / n_train) s^2`` and not
    ``s^2 / K``; the interval is Student's t with K - 1 degrees of freedom.

    Parameters
    ----------
    values
        The metric on each resample [K]. With one value the interval is unbounded; with none the
        mean is NaN.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
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
    """Return the two-sided p-value of zero mean difference over K resamples.

    The corrected resampled t-test of Nadeau and Bengio 2003. The p-value is 1 if there are fewer
    than two differences, or if all are zero.

    Parameters
    ----------
    differences
        Difference of two models on each resample [K].
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
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
    """Return p-values adjusted by Holm's step-down method (Holm 1979).

    Parameters
    ----------
    p_values
        Raw p-values.

    Returns
    -------
    list of float
        Adjusted p-values in the same order.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return [float(value) for value in adjusted]
