"""Choice of a learning rate, on other resamples than those that compare the optimizers.

An optimizer is compared at its own best rate. If that rate were chosen by the very losses that are
then compared, the optimizer with more rates, or with noisier losses, would look better than it is.
So the choice is cross-fitted: for resample k the rate is the one with the lowest mean loss on all
*other* resamples, and the optimizer's loss on resample k is that of this rate. All K resamples
count, and none of them chose the rate it is judged at. Resamples share rows, as they do in every
repeated split, so the independence is not exact; ``python -m simulations selection`` measures how
often equal optimizers are told apart.

Rates may be raced: after a quarter and after half of the resamples, those that are shown to be
worse than the best so far are dropped. This is F-Race (Birattari, Stützle, Paquete and Varrentrapp
2002, "A Racing Algorithm for Configuring Metaheuristics"; the idea is from Maron and Moore 1994,
"Hoeffding Races"). Friedman's test there takes resamples for independent, so the corrected
resampled t-test takes its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval, corrected_t, resampled_mean

__all__ = ["RateLine", "RateSearch", "next_rate", "search_rates", "still_racing"]

Array = npt.NDArray[Any]

# Probability that a race drops any rate that is truly no worse than the best.
_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class RateLine:
    """Result of one learning rate.

    Attributes
    ----------
    rate
        The learning rate.
    loss
        Mean validation log-loss in nats per row over the networks that finished, with a corrected
        95 % interval; NaN if none did.
    finished
        Number of networks that did not diverge.
    resamples
        Number of resamples on which it was tried: fewer than all if it was dropped from the race.
    """

    rate: float
    loss: Interval
    finished: int
    resamples: int


@dataclass(frozen=True, kw_only=True)
class RateSearch:
    """Learning rates of one optimizer that were tried on K resamples.

    Attributes
    ----------
    lines
        The rates, ascending.
    best
        Position of the rate chosen on all K resamples, at which the model is trained.
    chosen
        Positions [K] of the rates chosen for each resample on the other resamples.
    """

    lines: tuple[RateLine, ...]
    best: int
    chosen: tuple[int, ...]

    @property
    def rate(self) -> float:
        """The rate chosen on all resamples."""
        return self.lines[self.best].rate

    @property
    def edge(self) -> str:
        """``lowest`` or ``highest`` if the best of several rates is that one; else empty."""
        if len(self.lines) == 1 or 0 < self.best < len(self.lines) - 1:
            return ""
        return "highest" if self.best else "lowest"


def search_rates(
    rates: tuple[float, ...],
    losses: Array,
    validation_to_train: float,
    tried: Sequence[int] | None = None,
) -> RateSearch:
    """Choose the best rate on all resamples, and one for each resample on the others.

    A rate at which fewer networks diverged is better than any other. Among equals the lowest mean
    loss decides, and then the lower rate. Only rates that were tried on all resamples are chosen.

    Parameters
    ----------
    rates
        Learning rates [R], ascending.
    losses
        Validation log-losses [R, K] in nats per row; NaN where a network diverged.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    tried
        On how many resamples, the first ones, each rate was tried, [R]. None, the default, for all.
    """
    n_rates, k = losses.shape
    tried = [k] * n_rates if tried is None else tried
    whole = [r for r in range(n_rates) if tried[r] == k]
    lines = []
    for rate, own, resamples in zip(rates, losses, tried, strict=True):
        finished = own[:resamples][np.isfinite(own[:resamples])]
        mean = resampled_mean(finished, validation_to_train)
        lines.append(RateLine(rate=rate, loss=mean, finished=len(finished), resamples=resamples))
    # A single resample leaves no other to choose on.
    others = [np.delete(losses[whole], i, axis=1) if k > 1 else losses[whole] for i in range(k)]
    return RateSearch(
        lines=tuple(lines),
        best=whole[_best(losses[whole])],
        chosen=tuple(whole[_best(other)] for other in others),
    )


def still_racing(losses: Array, validation_to_train: float, looks: int) -> list[int]:
    """Return the positions of the rates that are not shown to be worse than the best so far.

    Each is compared with the one of the lowest mean loss by the one-sided corrected resampled
    t-test, at the level 0.05 divided by the number of comparisons and of looks (Bonferroni). A rate
    at which more networks diverged than at another is dropped as well.

    Parameters
    ----------
    losses
        Validation log-losses [R, k] on the resamples so far, two or more; NaN where a network
        diverged.
    validation_to_train
        As for `search_rates`.
    looks
        How often the race is looked at in all.
    """
    best = _best(losses)
    lost = (~np.isfinite(losses)).sum(axis=1)
    alpha = _ALPHA / (max(1, len(losses) - 1) * looks)
    kept = []
    for r, own in enumerate(losses):
        difference = own - losses[best]
        difference = difference[np.isfinite(difference)]
        worse = len(difference) > 1 and difference.mean() > 0
        shown = worse and corrected_t(difference, validation_to_train) / 2 < alpha
        if r == best or (lost[r] <= lost[best] and not shown):
            kept.append(r)
    return kept


def next_rate(search: RateSearch) -> float | None:
    """Return the rate to try beyond the edge of the grid at which the best lies, if it does.

    Rates are 1 and 3 times powers of ten, about a factor of 10^½ apart. There is none where
    networks diverged at the edge.

    Parameters
    ----------
    search
        What is known so far.
    """
    if not search.edge or not search.lines[search.best].finished:
        return None
    decade = math.floor(math.log10(search.rate) + 1e-9)
    threefold = search.rate > 2 * 10.0**decade
    if search.edge == "highest":
        return float(f"1e{decade + 1}" if threefold else f"3e{decade}")
    return float(f"1e{decade}" if threefold else f"3e{decade - 1}")


def _best(losses: Array) -> int:
    """Return the position of the best rate by its losses [R, K]."""
    finite = np.isfinite(losses)
    diverged = (~finite).sum(axis=1)
    sums = np.where(finite, losses, 0.0).sum(axis=1)
    means = np.where(finite.any(axis=1), sums / np.maximum(1, finite.sum(axis=1)), np.inf)
    return min(range(len(losses)), key=lambda r: (diverged[r], means[r]))
