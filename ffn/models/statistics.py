"""The few statistical formulas that SciPy does not have, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["Interval", "corrected_t", "holm", "resampled_mean", "wilson"]

Array = npt.NDArray[Any]


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
    z = float(special.ndtri(0.975))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == n else float(centre + half)
    return Interval(share, low, high)


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
