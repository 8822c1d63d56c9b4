"""Compares sides over tables: ranks with their uncertainty, and wins against each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

__all__ = ["TIE", "Against", "MeanRanks", "compare", "mean_ranks"]

Array = npt.NDArray[Any]

TIE = 0.01
"""Two log-losses nearer than this share of the smaller one count as equal."""

_RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class MeanRanks:
    """Ranks averaged over tables; 1 is best.

    Attributes
    ----------
    mean
        Of each side [sides].
    low, high
        95 % percentile intervals [sides], of tables drawn with replacement (Efron and Tibshirani
        1993, section 13.3): how far the mean depends on which tables happened to be chosen.
    """

    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, kw_only=True)
class Against:
    """Ours beside one other, over the tables that both have.

    Attributes
    ----------
    wins, ties, losses
        Tables; a tie is a log-loss within `TIE`.
    difference
        Median over tables of ours relative to theirs, minus 1: below 0, ours is lower.
    """

    wins: int
    ties: int
    losses: int
    difference: float


def mean_ranks(losses: Array, *, seed: int = 0) -> MeanRanks:
    """Return the mean ranks of losses [tables, sides]; equal losses share their ranks' mean."""
    ranks = rankdata(losses, axis=1)
    tables = len(ranks)
    drawn = np.random.default_rng(seed).integers(tables, size=(_RESAMPLES, tables))
    low, high = np.percentile(ranks[drawn].mean(axis=1), (2.5, 97.5), axis=0)
    return MeanRanks(mean=ranks.mean(axis=0), low=low, high=high)


def compare(ours: Array, theirs: Array) -> Against:
    """Return how ours stands beside theirs, log-losses [tables] each."""
    near = np.abs(ours - theirs) <= TIE * np.minimum(ours, theirs)
    return Against(
        wins=int(np.count_nonzero((ours < theirs) & ~near)),
        ties=int(np.count_nonzero(near)),
        losses=int(np.count_nonzero((ours > theirs) & ~near)),
        difference=float(np.median(ours / theirs) - 1),
    )
