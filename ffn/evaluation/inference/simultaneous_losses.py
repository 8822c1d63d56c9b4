"""Bounds for the log-loss of one model minus that of several others, valid all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.paired_losses import (
    BOOTSTRAP_ROWS,
    RESAMPLES,
    LossBounds,
    loss_bounds,
    row_losses,
)
from ffn.evaluation.inference.statistics import resamples_at_once

__all__ = ["simultaneous_bounds", "unseen_row_bound"]

Array = npt.NDArray[Any]


def simultaneous_bounds(
    ours: Array,
    others: Sequence[Array],
    labels: Array,
    alpha: float,
    seed: int,
    groups: Array | None = None,
    weights: Array | None = None,
) -> tuple[LossBounds, ...]:
    """Return bounds for the differences in log-loss of one model from several others.

    Asking whether any of the others is better amounts to choosing the best of them on the same
    rows. By Bonferroni's inequality, bounds at the level ``alpha`` divided by their number are
    wrong for any of them with probability at most ``alpha``, however they depend on each other.
    Holm's method finds a better one in the same cases, because its first step is the same, but it
    gives no intervals.

    A few rows may lack the rare ones on which another model is confidently wrong, and it then
    seems to be better than it is. Neither Student's t nor a bootstrap takes into account what is
    not in the sample. Up to 2,000 rows the lower bound is therefore at most that of
    `unseen_row_bound`. The unseen row is a typical bad mistake of the other model: the mean over
    all rows of the lowest difference that any label would give. Simulated false findings stay
    below ``alpha`` with it (docs/evaluation.md).

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
    groups
        Identifiers of the rows' groups [n]: the group is the unit, also of what is unseen. None,
        the default: rows are independent.
    weights
        Weights of the rows [n] in all means; the unseen row is one of mean weight. None, the
        default: rows count alike.

    Returns
    -------
    tuple of LossBounds
        Log-loss of the one model minus that of each other.
    """
    losses, level, found = row_losses(ours, labels), alpha / len(others), []
    for other in others:
        own = row_losses(other, labels)
        bounds = loss_bounds(losses, own, level, seed, groups, weights)
        differences = values_of_groups(losses - own, groups, weights)
        if len(differences) <= BOOTSTRAP_ROWS:
            lowest = _lowest_differences(ours, other)
            unseen = float(lowest.mean() if weights is None else lowest @ weights / weights.sum())
            low = unseen_row_bound(differences, unseen, level, seed)
            bounds = replace(bounds, low=min(bounds.low, low))
        found.append(bounds)
    return tuple(found)


def _lowest_differences(ours: Array, other: Array) -> Array:
    """Return the lowest difference [n] that each row would have with any label."""
    n = len(ours)
    labels = (np.full(n, c) for c in range(ours.shape[1]))
    lowest = np.full(n, np.inf)
    for label in labels:
        lowest = np.minimum(lowest, row_losses(ours, label) - row_losses(other, label))
    return lowest


def unseen_row_bound(values: Array, unseen: float, alpha: float, seed: int) -> float:
    """Return a lower confidence bound for the mean of values, of which one may be unseen.

    The unseen value joins the sample, all n + 1 values are weighted at random (Dirichlet, all
    parameters 1: the Bayesian bootstrap of Rubin 1981), and the bound is the quantile ``alpha`` of
    the weighted mean. If no value can be lower than the unseen one, this is the bound of Gaffke
    2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
    nonnegative variable". Then no distribution is known for which it is too high more often than
    ``alpha``, however few values there are (Learned-Miller and Thomas 2019, "A new confidence
    interval for the mean of a bounded random variable"). The quantile is simulated with 9,999
    draws.

    Parameters
    ----------
    values
        Independent values [n].
    unseen
        The value to be reckoned with besides.
    alpha
        One-sided level.
    seed
        Seed of the weights: the same seed gives the same bound.
    """
    generator = np.random.default_rng(seed)
    sample = np.append(values, unseen)
    at_once, means = resamples_at_once(len(sample)), []
    for start in range(0, RESAMPLES, at_once):
        weights = generator.exponential(size=(min(at_once, RESAMPLES - start), len(sample)))
        means.append((weights * sample).sum(axis=1) / weights.sum(axis=1))
    return float(np.quantile(np.concatenate(means), alpha))
