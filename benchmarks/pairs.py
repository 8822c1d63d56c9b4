"""CPU time of two trainings, run in turns in one process so that both meet the same machine."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks.contestants import Contest, Training

__all__ = ["Measured", "check_accuracies", "measure"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a contest took and gave.

    Attributes
    ----------
    ours, theirs
        CPU seconds a network [pairs].
    our_accuracy, their_accuracy
        Held-out accuracy of each network [pairs * networks].
    """

    contest: Contest
    ours: Array
    theirs: Array
    our_accuracy: Array
    their_accuracy: Array

    @property
    def ratios(self) -> Array:
        """Their time divided by ours [pairs]: above 1 where ours is faster."""
        return self.theirs / self.ours


def measure(contest: Contest, pairs: int) -> Measured:
    """Run a contest ``pairs`` times, after one run of each side that does not count.

    The time is the process's own, user and system: what others do on the machine shows only
    through shared caches and clock rates, which is why the pairs are interleaved. One BLAS
    thread on both sides. Who begins changes from pair to pair.
    """
    with threadpool_limits(limits=1):
        contest.ours(0)
        contest.theirs(0)
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        accuracies: dict[str, list[Array]] = {"ours": [], "theirs": []}
        sides = [("ours", contest.ours), ("theirs", contest.theirs)]
        for pair in range(pairs):
            for side, training in sides if pair % 2 == 0 else reversed(sides):
                seconds, accuracy = _timed(training, pair + 1)
                times[side].append(seconds / contest.networks)
                accuracies[side].append(accuracy)
    return Measured(
        contest=contest,
        ours=np.array(times["ours"]),
        theirs=np.array(times["theirs"]),
        our_accuracy=np.concatenate(accuracies["ours"]),
        their_accuracy=np.concatenate(accuracies["theirs"]),
    )


def check_accuracies(measured: Measured, *, rows: int, least: float) -> None:
    """Refuse times of trainings that did not learn the same.

    Parameters
    ----------
    measured
        At least two networks a side.
    rows
        Held-out rows: one of them, and two standard errors, the mean accuracies may differ by.
    least
        Median accuracy that both sides must reach.

    Raises
    ------
    RuntimeError
        They differ by more, or a side did not learn.
    """
    ours, theirs = measured.our_accuracy, measured.their_accuracy
    error = np.sqrt(sum(side.var(ddof=1) / len(side) for side in (ours, theirs)))
    apart = abs(ours.mean() - theirs.mean())
    if apart > 1 / rows + 2 * error or min(np.median(ours), np.median(theirs)) < least:
        raise RuntimeError(
            f"{measured.contest.name}, {measured.contest.optimizer}: mean held-out accuracy "
            f"{ours.mean():.3f} (ours) and {theirs.mean():.3f} (scikit-learn) do not agree, or "
            f"are low; such times mean nothing"
        )


def _timed(training: Training, seed: int) -> tuple[float, Array]:
    gc.collect()
    started = time.process_time()
    accuracy = training(seed)
    return time.process_time() - started, accuracy
