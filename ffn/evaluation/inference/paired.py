"""Paired tests and bounds for two models on the same rows: accuracy, and recall by class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import holm

__all__ = [
    "ClassLoss",
    "LabelCounts",
    "accuracy_bound",
    "class_losses",
    "count_labels",
    "p_better",
    "p_not_worse",
    "tango_score",
]

Array = npt.NDArray[Any]

# Share of the level that is spent on the interval for the nuisance parameter.
_NUISANCE_PART = 0.02
_NUISANCE_POINTS = 32


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """Numbers of rows that only one of two models labels correctly.

    Attributes
    ----------
    rows
        All rows compared.
    gained
        Rows that the challenger labels correctly and production does not.
    lost
        Rows that production labels correctly and the challenger does not.
    production_wrong
        Rows that production labels wrongly, an upper bound of ``gained``.
    """

    rows: int
    gained: int
    lost: int
    production_wrong: int

    @property
    def difference(self) -> float:
        """Accuracy of the challenger minus that of production."""
        return (self.gained - self.lost) / self.rows

    @property
    def at_best(self) -> LabelCounts:
        """The counts of a challenger that makes no mistake."""
        return LabelCounts(
            rows=self.rows,
            gained=self.production_wrong,
            lost=0,
            production_wrong=self.production_wrong,
        )


@dataclass(frozen=True, kw_only=True)
class ClassLoss:
    """Labels gained and lost in one class.

    Attributes
    ----------
    name
        Name of the class.
    rows
        Number of its rows.
    gained, lost
        Rows that only the challenger, or only production, labels correctly.
    p_worse
        One-sided p-value of "recall is not lower", adjusted by Holm over the classes.
    weighted_drop
        Weighted recall of production minus that of the challenger, if rows are weighted; otherwise
        None.
    """

    name: str
    rows: int
    gained: int
    lost: int
    p_worse: float
    weighted_drop: float | None = field(default=None, metadata={"omitted": True})

    @property
    def drop(self) -> float:
        """Recall of production minus that of the challenger."""
        if self.weighted_drop is not None:
            return self.weighted_drop
        return (self.lost - self.gained) / self.rows if self.rows else 0.0


def count_labels(challenger: Array, production: Array, labels: Array) -> LabelCounts:
    """Count the rows that only one of two models labels correctly.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n].
    labels
        True classes, integers [n].
    """
    right, was_right = challenger == labels, production == labels
    return LabelCounts(
        rows=len(labels),
        gained=int((right & ~was_right).sum()),
        lost=int((~right & was_right).sum()),
        production_wrong=int((~was_right).sum()),
    )


def p_better(gained: int, lost: int) -> float:
    """Return the one-sided p-value of "the challenger is not more accurate".

    McNemar's test (1947) in its exact form: under the null hypothesis each row that only one model
    labels correctly is equally likely to be either model's.

    Parameters
    ----------
    gained, lost
        Rows that only the challenger, or only production, labels correctly.
    """
    from scipy import stats

    changed = gained + lost
    return float(stats.binomtest(gained, changed, alternative="greater").pvalue) if changed else 1.0


def p_not_worse(counts: LabelCounts, margin: float, alpha: float) -> float:
    """Return the p-value of "the challenger's accuracy is lower by ``margin`` or more".

    The counts of rows lost and gained are trinomial; the hypothesis concerns the difference of
    their shares, and the share of rows that change is a nuisance parameter. Outcomes are ordered by
    the score statistic of Tango 1998, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design". The p-value is the largest over all
    shares within an exact (Clopper and Pearson 1934) interval, plus the probability that the
    interval misses: Berger and Boos 1994, "P values maximized over a confidence set for the
    nuisance parameter". The test is therefore valid for any number of rows.

    Parameters
    ----------
    counts
        Labels gained and lost.
    margin
        Loss of accuracy that is not acceptable, 0 to 1.
    alpha
        One-sided level with which the result will be compared; a fiftieth of it is spent on the
        interval, which costs little power.
    """
    missed = alpha * _NUISANCE_PART
    return _largest_p(counts, margin, _changed_share(counts, missed), missed)


def _changed_share(counts: LabelCounts, missed: float) -> tuple[float, float]:
    """Return the exact interval for the share of rows that only one model labels correctly."""
    from scipy import stats

    test = stats.binomtest(counts.gained + counts.lost, counts.rows)
    interval = test.proportion_ci(1 - missed, method="exact")
    return float(interval.low), float(interval.high)


def _largest_p(
    counts: LabelCounts, margin: float, changed: tuple[float, float], missed: float
) -> float:
    """Return the largest p-value over the interval of shares, plus the level spent on it."""
    from scipy import stats

    rows = counts.rows
    low, high = max(changed[0], margin), max(changed[1], margin)
    share = np.linspace(low, high, _NUISANCE_POINTS)[:, None]
    # Numbers of changed rows outside these have less than a millionth of that probability.
    ends = stats.binom.ppf(missed * 1e-6, rows, low), stats.binom.isf(missed * 1e-6, rows, high)
    m = np.arange(int(ends[0]), int(ends[1]) + 1)
    lost_share = np.minimum(1.0, (share + margin) / (2 * share))
    at_most = stats.binom.cdf(_most_lost(counts, margin, m), m, lost_share)
    p = np.sum(stats.binom.pmf(m, rows, share) * at_most, axis=1).max()
    return min(1.0, float(p) + missed)


def _most_lost(counts: LabelCounts, margin: float, m: Array) -> Array:
    """Return the most rows lost, of ``m`` [M] changed, as extreme as the observation; or -1.

    The statistic is monotonic in the number of rows lost, so this is found by bisection.
    """
    seen = tango_score(np.array(counts.lost), np.array(counts.gained), counts.rows, margin) + 1e-9
    low, high = np.full(len(m), -1), m.copy()
    while (low < high).any():
        middle = (low + high + 1) // 2
        passes = tango_score(middle, m - middle, counts.rows, margin) <= seen
        low, high = np.where(passes, middle, low), np.where(passes, high, middle - 1)
    return low


def tango_score(lost: Array, gained: Array, rows: int, margin: float) -> Array:
    """Return Tango's score statistic for "accuracy is lower by ``margin``".

    Parameters
    ----------
    lost, gained
        Numbers of rows, integers of equal shape.
    rows
        Number of all rows.
    margin
        Hypothesised loss of accuracy, -1 to 1.

    Returns
    -------
    Array
        Statistic of the same shape; the lower, the stronger the evidence for a smaller loss.
    """
    b = (2 * rows - lost + gained) * margin - lost - gained
    c = -gained * margin * (1 - margin)
    # Maximum likelihood estimate of the share gained, given that the loss equals the margin.
    share = (np.sqrt(b * b - 8 * rows * c) - b) / (4 * rows)
    variance = rows * (2 * share + margin * (1 - margin))
    score: Array = (lost - gained - rows * margin) / np.sqrt(variance)
    return score


def accuracy_bound(counts: LabelCounts, alpha: float) -> float:
    """Return an upper confidence bound of the accuracy that the challenger loses.

    It is the smallest margin that `p_not_worse` rejects at the level ``alpha``.

    Parameters
    ----------
    counts
        Labels gained and lost.
    alpha
        One-sided level.
    """
    from scipy import optimize

    missed = alpha * _NUISANCE_PART
    changed = _changed_share(counts, missed)

    def excess(margin: float) -> float:
        return _largest_p(counts, margin, changed, missed) - alpha

    # At 0 and 1 the statistic has no variance.
    least, most = 1e-6, 1 - 1e-6
    if excess(most) > 0:
        return 1.0
    return float(optimize.brentq(excess, least, most, xtol=1e-4)) if excess(least) > 0 else 0.0


def class_losses(
    challenger: Array, production: Array, labels: Array, classes: tuple[str, ...]
) -> tuple[ClassLoss, ...]:
    """Test each class for lower recall: one-sided exact McNemar tests, adjusted by Holm.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n].
    labels
        True classes, integers [n].
    classes
        Names of the classes [C].
    """
    counts = [
        count_labels(challenger[own], production[own], labels[own])
        for own in (labels == c for c in range(len(classes)))
    ]
    adjusted = holm([p_better(found.lost, found.gained) for found in counts])
    return tuple(
        ClassLoss(name=name, rows=found.rows, gained=found.gained, lost=found.lost, p_worse=p)
        for name, found, p in zip(classes, counts, adjusted, strict=True)
    )
