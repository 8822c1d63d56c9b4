"""A race of the candidates of a search, over resamples.

After a quarter and after half of the resamples, candidates that are shown to be worse than the best
so far are dropped; the others go on with the next resamples. Epochs would not do: with a schedule
of learning rates, or with other batches, the same epoch is not equally far. The idea is from Maron
and Moore 1994 ("Hoeffding Races"), and in this form from Birattari, Stützle, Paquete and
Varrentrapp 2002 ("A Racing Algorithm for Configuring Metaheuristics", F-Race). Friedman's test
there takes resamples for independent, so the corrected resampled t-test (Nadeau and Bengio 2003)
takes its place. Its level is divided by the number of looks and of the other candidates at the
start (Bonferroni). The best candidate is dropped only if at some look some other one is shown to be
better, so the probability of that is at most `RACE_ALPHA`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import corrected_t

__all__ = ["RACE_ALPHA", "Dropped", "best_of", "dropped_at", "race_looks"]

Array = npt.NDArray[Any]

RACE_ALPHA = 0.05
"""Probability that a race drops the candidate that is truly the best."""

# On fewer, the test shows hardly anything.
_FEWEST_RESAMPLES = 4


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Why a candidate was dropped.

    Attributes
    ----------
    resamples
        After how many resamples.
    of
        On how many it would have been trained.
    best
        The candidate with the lowest mean at that time; empty if every network diverged.
    behind
        How much higher the mean of the dropped one was, on the resamples that both have; NaN if
        every network diverged.
    p_value
        One-sided p-value of that difference, times the number of comparisons and of looks.
    """

    resamples: int
    of: int
    best: str
    behind: float
    p_value: float


def race_looks(networks: int) -> tuple[int, ...]:
    """Return after how many resamples a race looks at its candidates; none for a few networks.

    At each stage two networks are trained at least, as ``ffn.training.fit`` does everywhere.

    Parameters
    ----------
    networks
        Number of resamples, each with its network.
    """
    ends = {networks // 4, networks // 2}
    return tuple(sorted(end for end in ends if _FEWEST_RESAMPLES <= end <= networks - 2))


def best_of(values: Array) -> int:
    """Return the position of the best candidate.

    It is the one of the lowest mean among those of which the fewest networks diverged, on the
    resamples on which none of these did; of equal ones the first.

    Parameters
    ----------
    values
        What is compared [C, K], the lower the better; NaN where a network diverged.
    """
    finite = np.isfinite(values)
    lost = (~finite).sum(axis=1)
    sound = np.flatnonzero(lost == lost.min())
    common = finite[sound].all(axis=0)
    means = [
        own[common].mean() if common.any() else own[np.isfinite(own)].mean()
        for own in values[sound]
        if np.isfinite(own).any()
    ]
    return int(sound[int(np.argmin(means))]) if means else 0


def dropped_at(
    values: Array, names: list[str], validation_to_train: float, rivals: int, networks: int
) -> dict[str, Dropped]:
    """Return which candidates are dropped after the first k resamples, and why.

    Parameters
    ----------
    values
        What is compared [C, k], the lower the better; NaN where a network diverged.
    names
        Names of these candidates [C].
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    rivals
        Number of other candidates when the race began, by which the level is divided.
    networks
        Number of resamples in all.
    """
    best, k = best_of(values), values.shape[1]
    tests = max(1, rivals) * len(race_looks(networks))
    found = {}
    for name, own in zip(names, values, strict=True):
        if not np.isfinite(own).any():
            found[name] = Dropped(resamples=k, of=networks, best="", behind=np.nan, p_value=np.nan)
            continue
        difference = own - values[best]
        difference = difference[np.isfinite(difference)]
        if len(difference) < 2 or not (behind := float(difference.mean())) > 0:
            continue
        p_value = min(1.0, corrected_t(difference, validation_to_train) / 2 * tests)
        if p_value < RACE_ALPHA:
            found[name] = Dropped(
                resamples=k, of=networks, best=names[best], behind=behind, p_value=p_value
            )
    return found
