"""Intervals and tests: SciPy's as this product needs them, and the few that it does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "NO_FIGURE",
    "Z_95",
    "Interval",
    "corrected_t",
    "effective_wilson",
    "holm",
    "mean_interval",
    "mean_of_shares",
    "resampled_mean",
    "resamples_at_once",
    "wilson",
]

Array = npt.NDArray[Any]

# The normal quantile of two-sided 95 % intervals, `special.ndtri(0.975)`. Written out, since
# importing SciPy would take half a second of each command that only shows recorded intervals.
Z_95 = 1.959963984540054
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


# A share of nothing.
NO_FIGURE = Interval(float("nan"), 0.0, 1.0)


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


def effective_wilson(share: float, n: float) -> Interval:
    """Return an estimated share with Wilson's score interval at an effective number of rows.

    The effective number is that of independent rows whose share would have the same variance. It
    need not be whole, and neither need ``share * n``; the bounds are Wilson's of 1927.

    Parameters
    ----------
    share
        The estimate, 0 to 1; NaN for none.
    n
        Effective number of rows, above 0.
    """
    if np.isnan(share):
        return NO_FIGURE
    weight = Z_95**2 / n
    centre = (share + weight / 2) / (1 + weight)
    half = np.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    # Rounding must not leave the estimate outside its own interval.
    low, high = min(share, float(centre - half)), max(share, float(centre + half))
    return Interval(share, max(0.0, low), min(1.0, high))


def mean_of_shares(values: Array, rows: Array, variance: float = 0.0) -> Interval:
    """Return the unweighted mean of shares with Wilson's interval at its effective rows.

    The variance of the mean is the larger one of ``variance`` and that of independent shares, each
    moved away from 0 and 1 as in Wilson's centre (Agresti and Coull 1998), so that shares of 0 and
    1 are not taken as certain. The effective number of rows is that of one share with the same mean
    and variance. Of one share it is ``rows``, and the interval is Wilson's.

    Parameters
    ----------
    values
        The shares, 0 to 1 [C], at least one.
    rows
        Rows of each, or effective rows, above 0 [C].
    variance
        Estimated variance of the mean, where it is known to be more than that of independent
        shares; by default nothing is.
    """
    value = float(np.mean(values))
    moved = (values * rows + Z_95**2 / 2) / (rows + Z_95**2)
    centre, least = float(moved.mean()), float((moved * (1 - moved) / rows).sum())
    effective = centre * (1 - centre) * len(values) ** 2 / least
    if variance > 0 and 0 < value < 1:
        effective = min(effective, value * (1 - value) / variance)
    return effective_wilson(value, effective)


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
    from scipy import special

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
    from scipy import special

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
