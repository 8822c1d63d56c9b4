"""Choice of a learning rate, on other resamples than those that compare the optimizers.

An optimizer is compared at its own best rate. If that rate were chosen by the very losses that are
then compared, the optimizer with more rates, or with noisier losses, would look better than it is.
So the choice is cross-fitted: for resample k the rate is the one with the lowest mean loss on all
*other* resamples, and the optimizer's loss on resample k is that of this rate. All K resamples
count, and none of them chose the rate it is judged at. Resamples share rows, as they do in every
repeated split, so the independence is not exact; ``python -m simulations selection`` measures how
often equal optimizers are told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.statistics import Interval, resampled_mean

__all__ = ["RateLine", "RateSearch", "next_rate", "search_rates"]

Array = npt.NDArray[Any]


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
    """

    rate: float
    loss: Interval
    finished: int


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


def search_rates(rates: tuple[float, ...], losses: Array, validation_to_train: float) -> RateSearch:
    """Choose the best rate on all resamples, and one for each resample on the others.

    A rate at which fewer networks diverged is better than any other. Among equals the lowest mean
    loss decides, and then the lower rate.

    Parameters
    ----------
    rates
        Learning rates [R], ascending.
    losses
        Validation log-losses [R, K] in nats per row; NaN where a network diverged.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    """
    _, k = losses.shape
    others = [np.delete(losses, i, axis=1) for i in range(k)]
    return RateSearch(
        lines=tuple(
            RateLine(rate=rate, loss=resampled_mean(own, validation_to_train), finished=len(own))
            for rate, own in zip(rates, (row[np.isfinite(row)] for row in losses), strict=True)
        ),
        best=_best(losses),
        # A single resample leaves no other to choose on.
        chosen=tuple(_best(other if k > 1 else losses) for other in others),
    )


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
