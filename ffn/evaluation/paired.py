"""Two models on the same rows: which one gets more labels right, and whose losses are lower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.statistics import holm, resamples_at_once

__all__ = [
    "ClassLoss",
    "LabelCounts",
    "LossBounds",
    "accuracy_bound",
    "class_losses",
    "count_labels",
    "loss_bounds",
    "p_better",
    "p_not_worse",
    "row_losses",
    "tango_score",
]

Array = npt.NDArray[Any]

# What a probability counts as at least. A hold-out of a few thousand rows knows nothing of
# mistakes rarer than that, and one row must not outweigh all others.
_LEAST_PROBABILITY = 1e-6
# Up to here a bootstrap; beyond, the mean's distribution is normal for all that can be seen.
_BOOTSTRAP_ROWS = 2_000
_RESAMPLES = 9_999
# Part of the level that the interval for the nuisance parameter may cost.
_NUISANCE_PART = 0.02
_NUISANCE_POINTS = 32


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """Rows that only one of the two models labels right.

    Attributes
    ----------
    rows
        All rows that both were asked.
    gained
        Right by the challenger, wrong by production.
    lost
        The reverse.
    production_wrong
        Rows that production labels wrong: as many could be gained.
    """

    rows: int
    gained: int
    lost: int
    production_wrong: int

    @property
    def difference(self) -> float:
        """Accuracy of the challenger minus production's."""
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
class LossBounds:
    """Mean log-loss of the challenger minus production's, nats a row.

    Attributes
    ----------
    value, low, high
        The mean, and a bound on each side, each missed with probability ``alpha``.
    alpha
        One-sided.
    """

    value: float
    low: float
    high: float
    alpha: float


@dataclass(frozen=True, kw_only=True)
class ClassLoss:
    """One class's rows: gained, lost, and the p-value, adjusted by Holm, of nothing lost."""

    name: str
    rows: int
    gained: int
    lost: int
    p_worse: float

    @property
    def drop(self) -> float:
        """Recall of production minus the challenger's."""
        return (self.lost - self.gained) / self.rows if self.rows else 0.0


def count_labels(challenger: Array, production: Array, labels: Array) -> LabelCounts:
    """Compare predicted classes [n] with labels [n]."""
    right, was_right = challenger == labels, production == labels
    return LabelCounts(
        rows=len(labels),
        gained=int((right & ~was_right).sum()),
        lost=int((~right & was_right).sum()),
        production_wrong=int((~was_right).sum()),
    )


def p_better(gained: int, lost: int) -> float:
    """Return the one-sided p-value of "the challenger labels no more rows right".

    McNemar's test (1947) in its exact form: of the rows that only one model gets right, each
    is as likely the one's as the other's, whatever the rows that both get right.
    """
    from scipy import stats

    changed = gained + lost
    return float(stats.binomtest(gained, changed, alternative="greater").pvalue) if changed else 1.0


def p_not_worse(counts: LabelCounts, margin: float, alpha: float) -> float:
    """Return the p-value of "the challenger's accuracy is lower by ``margin`` or more".

    The counts of rows lost and gained are trinomial, and the difference of their shares is
    the hypothesis; the share of rows that change at all is a nuisance. Outcomes are ordered by
    the score statistic of Tango 1998, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design". The p-value is the largest over all
    shares within an exact (Clopper and Pearson 1934) interval, plus the probability that the
    interval misses: Berger and Boos 1994, "P values maximized over a confidence set for the
    nuisance parameter". So it holds for any number of rows.

    Parameters
    ----------
    alpha
        The level it will be compared with; a fiftieth of it goes to the interval.
    """
    missed = alpha * _NUISANCE_PART
    return _largest_p(counts, margin, _changed_share(counts, missed), missed)


def _changed_share(counts: LabelCounts, missed: float) -> tuple[float, float]:
    """Return the exact interval for the share of rows that change."""
    from scipy import stats

    test = stats.binomtest(counts.gained + counts.lost, counts.rows)
    interval = test.proportion_ci(1 - missed, method="exact")
    return float(interval.low), float(interval.high)


def _largest_p(
    counts: LabelCounts, margin: float, changed: tuple[float, float], missed: float
) -> float:
    """Return the largest p-value over shares of changed rows in an interval, and what it misses."""
    from scipy import stats

    rows = counts.rows
    low, high = max(changed[0], margin), max(changed[1], margin)
    share = np.linspace(low, high, _NUISANCE_POINTS)[:, None]
    # Beyond these numbers of changed rows there is less than a millionth of the level.
    ends = stats.binom.ppf(missed * 1e-6, rows, low), stats.binom.isf(missed * 1e-6, rows, high)
    m = np.arange(int(ends[0]), int(ends[1]) + 1)
    lost_share = np.minimum(1.0, (share + margin) / (2 * share))
    at_most = stats.binom.cdf(_most_lost(counts, margin, m), m, lost_share)
    p = np.sum(stats.binom.pmf(m, rows, share) * at_most, axis=1).max()
    return min(1.0, float(p) + missed)


def _most_lost(counts: LabelCounts, margin: float, m: Array) -> Array:
    """Return the most rows lost, of ``m`` [M] changed, that speak as well as what was seen; or -1.

    The statistic grows with the rows lost, so the border is found by halving.
    """
    seen = tango_score(np.array(counts.lost), np.array(counts.gained), counts.rows, margin) + 1e-9
    low, high = np.full(len(m), -1), m.copy()
    while (low < high).any():
        middle = (low + high + 1) // 2
        passes = tango_score(middle, m - middle, counts.rows, margin) <= seen
        low, high = np.where(passes, middle, low), np.where(passes, high, middle - 1)
    return low


def tango_score(lost: Array, gained: Array, rows: int, margin: float) -> Array:
    """Return Tango's statistic of "lower by ``margin``": the lower, the less is lost beyond it."""
    b = (2 * rows - lost + gained) * margin - lost - gained
    c = -gained * margin * (1 - margin)
    # The share gained that fits best if the margin is just lost.
    share = (np.sqrt(b * b - 8 * rows * c) - b) / (4 * rows)
    variance = rows * (2 * share + margin * (1 - margin))
    score: Array = (lost - gained - rows * margin) / np.sqrt(variance)
    return score


def accuracy_bound(counts: LabelCounts, alpha: float) -> float:
    """Return the accuracy that the challenger may have lost at most, missed with ``alpha``.

    The smallest margin that ``p_not_worse`` rules out at the level ``alpha``.
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
    """Test each class's rows for labels lost: exact McNemar tests, one-sided, Holm over all."""
    counts = [
        count_labels(challenger[own], production[own], labels[own])
        for own in (labels == c for c in range(len(classes)))
    ]
    adjusted = holm([p_better(found.lost, found.gained) for found in counts])
    return tuple(
        ClassLoss(name=name, rows=found.rows, gained=found.gained, lost=found.lost, p_worse=p)
        for name, found, p in zip(classes, counts, adjusted, strict=True)
    )


def row_losses(probabilities: Array, labels: Array) -> Array:
    """Return the log-loss of each row [n], nats, of probabilities [n, C]."""
    own = probabilities[np.arange(len(labels)), labels]
    losses: Array = -np.log(np.maximum(own, _LEAST_PROBABILITY))
    return losses


def loss_bounds(challenger: Array, production: Array, alpha: float, seed: int) -> LossBounds:
    """Bound the mean difference of paired losses [n].

    The outer ones of two bounds: a paired bootstrap's, bias-corrected and accelerated (BCa:
    Efron 1987), up to 2,000 rows, and Student's. Losses are skewed, which Student's t misses,
    and few rows or resamples do not reach into a far tail, which a bootstrap misses.

    Parameters
    ----------
    alpha
        Probability that a bound is missed, on each side.
    seed
        Of the bootstrap: the same seed gives the same bounds.
    """
    from scipy import stats

    difference = challenger - production
    mean = float(difference.mean())
    if len(difference) < 2:
        return LossBounds(value=mean, low=-np.inf, high=np.inf, alpha=alpha)
    error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
    half = float(stats.t.isf(alpha, len(difference) - 1)) * error
    low, high = mean - half, mean + half
    # Where all differ by the same but for rounding, there is nothing to resample.
    if len(difference) <= _BOOTSTRAP_ROWS and np.ptp(difference) > 1e-12:
        interval = stats.bootstrap(
            (difference,),
            np.mean,
            n_resamples=_RESAMPLES,
            confidence_level=1 - 2 * alpha,
            method="BCa",
            vectorized=True,
            batch=resamples_at_once(len(difference)),
            rng=np.random.default_rng(seed),
        ).confidence_interval
        low, high = min(low, float(interval.low)), max(high, float(interval.high))
    return LossBounds(value=mean, low=low, high=high, alpha=alpha)
