"""Test at every look whether a version is less accurate than was promised.

Hypothesis: in every period that begins with a week since the version was made and lasts until now,
the average true accuracy of the rows scored is at least the promised lower bound. A quality that
falls after a long good time is therefore found soon. The bound itself is wrong with a probability
of at most alpha / 2 (Clopper and Pearson 1934), and the test errs with at most alpha / 2 over all
looks and periods: that of the k-th week has alpha / 2 divided by k (k + 1), which add up to it. So
a version that is as good on new rows as on the population of the held-out ones is reported with a
probability of at most alpha, however often one looks. Where more than one promise may apply, as one
for later rows and one for new groups, the lowest bound is tested and no other: a version that keeps
any of them is reported no more often.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.confidence_sequences import falls_short, share_sequence
from ffn.monitoring.promised_quality import PromisedQuality
from ffn.monitoring.record.scored_tables import week_of
from ffn.quantities import counted, interval

__all__ = ["Shortfall", "find_shortfall"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """Result of the test; of several periods, the one with the strongest evidence.

    Attributes
    ----------
    shown
        Whether accuracy is shown to be below ``bound``.
    alpha
        Probability of an error, over all looks.
    bound
        Lower bound of the promised accuracy, the lowest of the promises that may apply.
    whose
        Of which rows that was promised; empty for rows like the held-out ones.
    week
        ISO week in which the period begins.
    rows, accuracy
        Number of rows scored in it, and their accuracy with its 95 % confidence sequence.
    evidence, needed
        E-value of the period, and that from which it is shown.
    """

    shown: bool
    alpha: float
    bound: float
    week: str
    rows: int
    accuracy: Interval
    evidence: float
    needed: float
    whose: str = ""

    @property
    def sentence(self) -> str:
        """What is shown, in one sentence; empty if nothing is."""
        if not self.shown:
            return ""
        whose = f" for {self.whose}" if self.whose else ""
        return (
            f"accuracy is shown to be below the promised bound {self.bound:.3f}{whose}: "
            f"{interval(self.accuracy)} on {counted(self.rows, 'row')} scored since week "
            f"{self.week} (alpha {self.alpha:g}, valid at every look)"
        )


def find_shortfall(
    correct: Array, weeks: Sequence[str], promised: PromisedQuality, alpha: float
) -> Shortfall | None:
    """Return the result of the test; None without rows, or if nothing was promised.

    Parameters
    ----------
    correct
        Booleans [n]: rows that were labelled correctly.
    weeks
        ISO week in which each of them was scored [n].
    promised
        What was promised of the version.
    alpha
        Probability of an error over all looks.
    """
    bounds = promised.bounds(alpha / 2)
    if not bounds or not len(correct):
        return None
    bound, whose = bounds[0]
    first = week_of(promised.made_at) if promised.made_at is not None else min(weeks)
    days = np.array([_monday(week).toordinal() for week in weeks])
    start = min(_monday(first).toordinal(), int(days.min()))
    best: Shortfall | None = None
    for day in sorted(set(days.tolist())):
        own = days >= day
        n, right = int(own.sum()), int(correct[own].sum())
        k = (day - start) // 7 + 1
        needed = 2 * k * (k + 1) / alpha
        evidence = falls_short(right, n, bound)
        if best is None or evidence * best.needed > best.evidence * needed:
            best = Shortfall(
                shown=evidence >= needed,
                alpha=alpha,
                bound=bound,
                week=weeks[int(np.flatnonzero(days == day)[0])],
                rows=n,
                accuracy=share_sequence(right, n),
                evidence=evidence,
                needed=needed,
                whose=whose,
            )
    return best


def _monday(week: str) -> datetime.date:
    year, _, number = week.partition("-W")
    return datetime.date.fromisocalendar(int(year), int(number), 1)
