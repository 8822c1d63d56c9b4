"""Another model beside ours on the same rows: paired differences, with intervals of 95 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.paired import (
    LabelCounts,
    count_labels,
    loss_bounds,
    row_losses,
    tango_score,
)
from ffn.evaluation.statistics import Interval

__all__ = ["Difference", "accuracy_difference", "paired_difference"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Our model minus another, on the same rows.

    Attributes
    ----------
    accuracy
        Tango's score interval for paired shares.
    log_loss
        Nats a row; the outer one of a bootstrap's interval (BCa) and Student's, Student's alone
        above 2,000 rows. A probability counts as at least 10⁻⁶.
    """

    accuracy: Interval
    log_loss: Interval

    @property
    def in_accuracy(self) -> int:
        """1 where ours is shown to be better, -1 where it is shown to be worse, else 0."""
        return (self.accuracy.low > 0) - (self.accuracy.high < 0)

    @property
    def in_log_loss(self) -> int:
        """The same of the log-loss, where lower is better."""
        return (self.log_loss.high < 0) - (self.log_loss.low > 0)


def paired_difference(ours: Array, other: Array, labels: Array, seed: int) -> Difference:
    """Compare probabilities [n, C] of two models for labels [n].

    Parameters
    ----------
    seed
        Of the bootstrap: the same seed gives the same bounds.
    """
    counts = count_labels(ours.argmax(axis=1), other.argmax(axis=1), labels)
    losses = loss_bounds(row_losses(ours, labels), row_losses(other, labels), 0.025, seed)
    return Difference(
        accuracy=accuracy_difference(counts),
        log_loss=Interval(losses.value, float(losses.low), float(losses.high)),
    )


def accuracy_difference(counts: LabelCounts) -> Interval:
    """Return the difference of two accuracies on the same rows.

    The score interval of Tango 1998, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design": the differences that his test does
    not reject. It holds where few rows differ, or none, and stays within -1 and 1.
    """
    from scipy import optimize, special

    z = float(special.ndtri(0.975))
    lost, gained, rows = np.array(counts.lost), np.array(counts.gained), counts.rows

    def bound(score: float) -> float:
        def excess(difference: float) -> float:
            return float(tango_score(lost, gained, rows, -difference)) - score

        # At the ends the statistic has no variance, and near them it may not reach the score.
        least, most = -1 + 1e-9, 1 - 1e-9
        if excess(least) * excess(most) > 0:
            return -1.0 if score < 0 else 1.0
        return float(optimize.brentq(excess, least, most, xtol=1e-12))

    return Interval(counts.difference, bound(-z), bound(z))
