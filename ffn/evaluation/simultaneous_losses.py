"""Bounds for the log-loss of one model minus that of several others, valid all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.paired_losses import (
    BOOTSTRAP_ROWS,
    RESAMPLES,
    LossBounds,
    loss_bounds,
    row_losses,
)
from ffn.evaluation.statistics import resamples_at_once

__all__ = ["simultaneous_bounds", "support_bound"]

Array = npt.NDArray[Any]


def simultaneous_bounds(
    ours: Array, others: Sequence[Array], labels: Array, alpha: float, seed: int
) -> tuple[LossBounds, ...]:
    """Return bounds for the differences in log-loss of one model from several others.

    Asking whether any of the others is better amounts to choosing the best of them on the same
    rows. By Bonferroni's inequality, bounds at the level ``alpha`` divided by their number are
    wrong for any of them with probability at most ``alpha``, however they depend on each other.
    Holm's method finds a better one in the same cases, because its first step is the same, but it
    gives no intervals.

    A few rows may lack the rare ones on which another model is confidently wrong, and it then
    seems to be better. Neither Student's t nor a bootstrap takes into account what is not in the
    sample. Up to 2,000 rows the lower bound is therefore at most `support_bound`, for the
    lowest difference that any of the rows would have with any label.

    Parameters
    ----------
    ours
        Predicted probabilities [n, C] of the one model.
    others
        The same of each other model.
    labels
        True classes, integers [n].
    alpha
        One-sided level of all bounds on one side together.
    seed
        Seed of the resamples.

    Returns
    -------
    tuple of LossBounds
        Log-loss of the one model minus that of each other.
    """
    rows, level = np.arange(len(labels)), alpha / len(others)
    losses = row_losses(ours, labels)
    found = []
    for other in others:
        own = row_losses(other, labels)
        bounds = loss_bounds(losses, own, level, seed)
        if len(rows) <= BOOTSTRAP_ROWS:
            least = min(
                float((row_losses(ours, label) - row_losses(other, label)).min())
                for label in (np.full(len(rows), c) for c in range(ours.shape[1]))
            )
            low = support_bound(losses - own, least, level, seed)
            bounds = replace(bounds, low=min(bounds.low, low))
        found.append(bounds)
    return tuple(found)


def support_bound(values: Array, least: float, alpha: float, seed: int) -> float:
    """Return a lower confidence bound for the mean of values that are never below ``least``.

    The bound of Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on
    the mean of a nonnegative variable": ``least`` joins the sample, all n + 1 values are weighted
    at random (Dirichlet, all parameters 1), and the bound is the quantile ``alpha`` of the weighted
    mean. No distribution is known for which it is too high more often than ``alpha``
    (Learned-Miller and Thomas 2019, "A new confidence interval for the mean of a bounded random
    variable"), and no number of rows is too small for it. Here the quantile is simulated with
    9,999 draws.

    Parameters
    ----------
    values
        Independent values [n].
    least
        Their lower limit.
    alpha
        One-sided level.
    seed
        Seed of the weights: the same seed gives the same bound.
    """
    generator = np.random.default_rng(seed)
    sample = np.append(values, least)
    at_once, means = resamples_at_once(len(sample)), []
    for start in range(0, RESAMPLES, at_once):
        weights = generator.exponential(size=(min(at_once, RESAMPLES - start), len(sample)))
        means.append((weights * sample).sum(axis=1) / weights.sum(axis=1))
    return float(np.quantile(np.concatenate(means), alpha))
