"""Intervals and tests that stay valid however often one looks, and while the world changes.

Labels arrive bit by bit, and whoever looks after each of them would sooner or later see a fixed
95 % interval miss. A *confidence sequence* contains the truth at all looks together with 95 %.

What is estimated is the mean, over the rows so far, of each row's conditional expectation given
the rows before: the average true accuracy on these rows. It may change from row to row, in any way
that does not look into the future. Each bound comes from a non-negative supermartingale that
starts at 1, so by Ville's inequality it exceeds 1/alpha at any time with a probability of at most
alpha. Supermartingales for a fixed number lambda are averaged over fixed numbers, which keeps the
property: the method of mixtures, Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform,
nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49(2), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval

__all__ = [
    "BoundedMean",
    "falls_short",
    "favours_first",
    "log_evidence_above",
    "log_evidence_of_sum",
    "share_sequence",
]

Floats = npt.NDArray[np.float64]
Numbers = float | Floats

_ALPHA = 0.05
# Log-odds by which an alternative differs, from what a hundred million rows show to what a few do.
_SHIFTS = np.geomspace(1e-3, 10.0, 40)
# The same for an exponential supermartingale, which exists below 1.
_TILTS = np.geomspace(5e-4, 0.95, 30)
_HALVINGS = 60


def share_sequence(successes: int, n: int, alpha: float = _ALPHA) -> Interval:
    """Return the share ``successes / n`` with its confidence sequence, for 0-or-1 outcomes.

    Both bounds together miss at any look with a probability of at most ``alpha``.

    Parameters
    ----------
    successes
        Number of ones, 0 to n.
    n
        Number of rows; with 0 the result is NaN in [0, 1].
    alpha
        Probability of an error over all looks, 0 to 1; by default that of a 95 % interval.

    Notes
    -----
    For X of mean p in [0, 1], ``E exp(lambda X) <= 1 - p + p exp(lambda)``. Its logarithm is
    concave in p, so ``exp(lambda S - n log(1 - m + m exp(lambda)))``, m the mean of all p so far,
    is at most a supermartingale (Hoeffding 1963, Howard and others 2021, the sub-Bernoulli case).
    The average over lambda > 0 bounds m from below, that over lambda < 0 from above, each at
    ``alpha / 2``. Unlike the beta-binomial mixture it needs no constant accuracy.
    """
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    limit = math.log(2 / alpha)

    def bound_below(ones: int) -> float:
        return _border(lambda m: bool(log_evidence_above(ones, n, m) >= limit), 0.0, ones / n)

    return Interval(successes / n, bound_below(successes), 1 - bound_below(n - successes))


def log_evidence_above(successes: Numbers, n: Numbers, mean: Numbers) -> Floats:
    """Return the logarithm of the evidence that the average of the shares is above ``mean``.

    Parameters
    ----------
    successes, n, mean
        Number of ones, number of rows, and the mean of the hypothesis: numbers, or arrays of one
        shape, which the result has.
    """
    from scipy import special

    s, rows, m = (np.asarray(x, dtype=float)[..., np.newaxis] for x in (successes, n, mean))
    terms = _SHIFTS * s - rows * np.log1p(m * np.expm1(_SHIFTS))
    return np.asarray(special.logsumexp(terms, axis=-1) - math.log(len(_SHIFTS)))


def log_evidence_of_sum(above: Numbers, variation: Numbers) -> Floats:
    """Return the logarithm of the evidence that numbers in [0, 1] are above their expectations.

    Parameters
    ----------
    above, variation
        Sum of the numbers minus that of the supposed expectations, and sum of the squared errors
        of prediction: numbers, or arrays of one shape, which the result has.
    """
    from scipy import special

    a, v = (np.asarray(x, dtype=float)[..., np.newaxis] for x in (above, variation))
    terms = _TILTS * a + (np.log1p(-_TILTS) + _TILTS) * v
    return np.asarray(special.logsumexp(terms, axis=-1) - math.log(len(_TILTS)))


def _border(excluded: Callable[[float], bool], low: float, high: float) -> float:
    """Return the largest excluded value from ``low`` on; ``low`` if not even that is excluded."""
    if not excluded(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excluded(middle) else (low, middle)
    return low


def falls_short(successes: int, n: int, promised: float) -> float:
    """Return the evidence, an e-value, against "the average accuracy is at least ``promised``".

    Under that hypothesis it exceeds 1/alpha at any look with a probability of at most alpha.

    Parameters
    ----------
    successes
        Number of correct rows, 0 to n.
    n
        Number of rows.
    promised
        The accuracy of the hypothesis, 0 to 1.
    """
    return _exp(float(log_evidence_above(n - successes, n, 1 - promised)))


def favours_first(first_alone: int, second_alone: int) -> float:
    """Return the evidence, an e-value, against "the first is no more accurate than the second".

    Under that hypothesis, "on average over the rows so far", it exceeds 1/alpha at any look with a
    probability of at most alpha.

    Parameters
    ----------
    first_alone, second_alone
        Rows that only one of two models labels correctly. Others do not matter.

    Notes
    -----
    With the difference D in {-1, 0, 1} of a row, ``1 + lambda D`` has a conditional mean of at most
    ``exp(lambda E D)``, so the product is at most a supermartingale while the average of E D is not
    above zero. It is averaged over lambda uniform on (0, 1), in closed form: a sequential McNemar
    test (betting as in Waudby-Smith and Ramdas 2024, JRSS B 86(1)).
    """
    from scipy import special

    a, b = first_alone + 1.0, second_alone + 1.0
    # With q = (1 + lambda) / 2: the integral of (2q)^first (2 - 2q)^second 2 dq over (1/2, 1).
    above = float(special.betainc(b, a, 0.5))
    if not above:
        # So many more for the second that the number underflows.
        return 0.0
    log_beta = special.betaln(a, b) + math.log(above)
    return _exp(float((a + b - 1) * math.log(2) + log_beta))


def _exp(logarithm: float) -> float:
    return math.exp(min(logarithm, 700.0))


@dataclass
class BoundedMean:
    """Running mean of numbers in a range, with a confidence sequence that adapts to their variance.

    The empirical-Bernstein sequence of Howard and others 2021, theorem 4: with a prediction of each
    number from those before (their mean), ``exp(lambda sum(x - E x) + (log(1 - lambda) + lambda)
    sum(x - prediction)^2)`` is a supermartingale for x in [0, 1] and lambda in [0, 1).

    Attributes
    ----------
    low, high
        The range.
    n, total, variation
        Count of the numbers so far, their sum, and the sum of squared errors of prediction, both
        after scaling to [0, 1].
    """

    low: float = 0.0
    high: float = 1.0
    n: int = 0
    total: float = 0.0
    variation: float = field(default=0.0)

    def add(self, values: Floats) -> None:
        """Add numbers [n] in the order in which they arrived.

        Raises
        ------
        ValueError
            A number is outside the range.
        """
        if not len(values):
            return
        x = (np.asarray(values, dtype=float) - self.low) / (self.high - self.low)
        if not ((x >= -1e-9) & (x <= 1 + 1e-9)).all():
            raise ValueError("a number is outside the range of the mean")
        x = x.clip(0.0, 1.0)
        before = self.total + np.concatenate([[0.0], np.cumsum(x)[:-1]])
        # A first guess of one half, which counts as one number.
        predictions = (before + 0.5) / (self.n + np.arange(len(x)) + 1)
        self.variation += float(((x - predictions) ** 2).sum())
        self.total += float(x.sum())
        self.n += len(x)

    def interval(self, alpha: float = _ALPHA) -> Interval:
        """Return the mean with its confidence sequence at the level ``alpha``, by default 95 %."""
        if not self.n:
            return Interval(math.nan, self.low, self.high)
        limit = math.log(2 / alpha)

        def excluded(above: float) -> bool:
            return bool(log_evidence_of_sum(above, self.variation) >= limit)

        # Excluded from some sum of differences on: counted down from the largest there can be.
        most = float(self.n)
        half = most - _border(lambda below: excluded(most - below), 0.0, most)
        mean = self.total / self.n
        low, high = max(0.0, mean - half / self.n), min(1.0, mean + half / self.n)
        width = self.high - self.low
        return Interval(self.low + width * mean, self.low + width * low, self.low + width * high)
