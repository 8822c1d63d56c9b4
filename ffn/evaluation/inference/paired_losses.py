"""Paired comparison of two models by the log-loss of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.statistics import resamples_at_once

__all__ = ["BOOTSTRAP_ROWS", "RESAMPLES", "LossBounds", "loss_bounds", "row_losses"]

Array = npt.NDArray[Any]

# Probabilities are clipped here. A few thousand held-out rows give no information about rarer
# mistakes, and a single row must not outweigh all others.
_LEAST_PROBABILITY = 1e-6
# With more rows no bootstrap is needed: the mean is normally distributed for practical purposes.
BOOTSTRAP_ROWS = 2_000
RESAMPLES = 9_999


@dataclass(frozen=True, kw_only=True)
class LossBounds:
    """Mean log-loss of one model minus that of another, nats per row.

    Attributes
    ----------
    value, low, high
        The mean, with a one-sided confidence bound on each side.
    alpha
        One-sided level of each bound.
    """

    value: float
    low: float
    high: float
    alpha: float


def row_losses(probabilities: Array, labels: Array) -> Array:
    """Return the log-loss of each row [n] in nats, with probabilities clipped at 10⁻⁶.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    """
    own = probabilities[np.arange(len(labels)), labels]
    losses: Array = -np.log(np.maximum(own, _LEAST_PROBABILITY))
    return losses


def loss_bounds(
    challenger: Array,
    production: Array,
    alpha: float,
    seed: int,
    groups: Array | None = None,
    weights: Array | None = None,
) -> LossBounds:
    """Return confidence bounds for the mean difference of paired losses.

    On each side the wider of two bounds is used: that of a bias-corrected and accelerated paired
    bootstrap (BCa: Efron 1987; up to 2,000 rows) and that of Student's t. Student's t ignores the
    skewness of losses, and a bootstrap of few rows does not reach far into the tails.

    Parameters
    ----------
    challenger, production
        Loss of each row [n], nats.
    alpha
        One-sided level of each bound.
    seed
        Seed of the bootstrap: the same seed gives the same bounds.
    groups
        Identifiers of the rows' groups [n]: groups are resampled, and counted by Student's t.
        None, the default: rows are independent.
    weights
        Weights of the rows [n] in the mean: the pseudo-values of `values_of_groups` are resampled
        then. None, the default: rows count alike.
    """
    from scipy import stats

    difference = values_of_groups(challenger - production, groups, weights)
    mean = float(difference.mean())
    if len(difference) < 2:
        return LossBounds(value=mean, low=-np.inf, high=np.inf, alpha=alpha)
    error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
    half = float(stats.t.isf(alpha, len(difference) - 1)) * error
    low, high = mean - half, mean + half
    # If all differences are equal up to rounding, there is nothing to resample.
    if len(difference) <= BOOTSTRAP_ROWS and np.ptp(difference) > 1e-12:
        interval = stats.bootstrap(
            (difference,),
            np.mean,
            n_resamples=RESAMPLES,
            confidence_level=1 - 2 * alpha,
            method="BCa",
            vectorized=True,
            batch=resamples_at_once(len(difference)),
            rng=np.random.default_rng(seed),
        ).confidence_interval
        low, high = min(low, float(interval.low)), max(high, float(interval.high))
    return LossBounds(value=mean, low=float(low), high=float(high), alpha=alpha)
