"""Which schedule of retraining is better, with the period as the unit.

The rows of one period share its weather, its prices and its models, so they are not independent of
each other; the periods are the observations. The mean difference of two schedules over m periods
has Student's t interval with m - 1 degrees of freedom. That is the test of Diebold and Mariano
1995, "Comparing predictive accuracy", with the correction of Harvey, Leybourne and Newbold 1997,
"Testing the equality of prediction mean squared errors", for forecasts of the next period alone. It
assumes that the differences of successive periods are not correlated. A difference that grows from
period to period makes the interval wider, not narrower.

Of several schedules all pairs are compared, each at the level 0.05 divided by their number
(Bonferroni), so that all intervals hold together with a probability of 95 %. The recommended
schedule is the rarest of those that are not shown to be worse than another one, as in the model
confidence set of Hansen, Lunde and Nason 2011: what costs less is kept until something is shown to
be better. Where something is shown to be better than never retraining, so has the recommended one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.backtesting.frequencies import NEVER, Frequency
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import difference, listed

__all__ = [
    "Recommendation",
    "ScheduleComparison",
    "ScheduleFigures",
    "compare_schedules",
    "mean_of_periods",
    "recommend",
]

Array = npt.NDArray[Any]

_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class ScheduleFigures:
    """What a schedule would have realised.

    Attributes
    ----------
    name
        The frequency, or ``never``.
    retrainings, promotions
        How often it retrained after its first model, and how often the gate promoted the result.
    accuracy, log_loss
        Means over the periods, with 95 % intervals.
    """

    name: str
    retrainings: int
    promotions: int
    accuracy: Interval
    log_loss: Interval


@dataclass(frozen=True, kw_only=True)
class ScheduleComparison:
    """Two schedules on the same periods: the first minus the second.

    Attributes
    ----------
    first, second
        Their names; the first retrains more often.
    accuracy, log_loss
        Mean differences over the periods, with intervals that hold for all pairs together.
    """

    first: str
    second: str
    accuracy: Interval
    log_loss: Interval

    @property
    def better(self) -> str:
        """The one whose log-loss is shown to be lower; empty if neither is."""
        if self.log_loss.high < 0:
            return self.first
        return self.second if self.log_loss.low > 0 else ""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """How often to retrain.

    Attributes
    ----------
    every
        The recommended schedule.
    shown
        Whether it is shown to be better than another one; otherwise no difference is shown.
    sentence
        The reason, in sentences.
    """

    every: str
    shown: bool
    sentence: str


def mean_of_periods(values: Array, alpha: float = _ALPHA) -> Interval:
    """Return the mean of independent values [m] with Student's t interval at the level ``alpha``.

    Parameters
    ----------
    values
        A figure of each period, or a difference; two or more.
    alpha
        Probability that the interval misses; 0.05 by default.
    """
    from scipy import special

    m, mean = len(values), float(np.mean(values))
    half = float(special.stdtrit(m - 1, 1 - alpha / 2) * np.std(values, ddof=1) / np.sqrt(m))
    return Interval(mean, mean - half, mean + half)


def compare_schedules(
    schedules: Sequence[str], losses: dict[str, Array], hits: dict[str, Array]
) -> list[ScheduleComparison]:
    """Compare all pairs of schedules.

    Parameters
    ----------
    schedules
        Their names, the one that retrains most often first.
    losses, hits
        Log-loss and share of correct rows of each of m periods, by schedule.
    """
    pairs = list(combinations(schedules, 2))
    alpha = _ALPHA / len(pairs)
    return [
        ScheduleComparison(
            first=one,
            second=other,
            accuracy=mean_of_periods(hits[one] - hits[other], alpha),
            log_loss=mean_of_periods(losses[one] - losses[other], alpha),
        )
        for one, other in pairs
    ]


def recommend(
    frequencies: Sequence[Frequency], comparisons: Sequence[ScheduleComparison], periods: int
) -> Recommendation:
    """Return how often to retrain, and why.

    Parameters
    ----------
    frequencies
        The schedules besides ``never``, the shortest first.
    comparisons
        Of `compare_schedules`.
    periods
        Number of periods.
    """
    words = {one.text: f"retraining every {one.words}" for one in frequencies}
    words[NEVER] = "never retraining"
    shown = [one for one in comparisons if one.better]
    worse = {one.second if one.better == one.first else one.first for one in shown}
    # The schedule with the lowest mean is not shown to be worse than any other, so there is one.
    sound = [name for name in reversed(words) if name not in worse]
    beating = {one.first: one for one in shown if one.second == NEVER and one.better == one.first}
    chosen = next((name for name in sound if name in beating), sound[0])
    if not shown:
        sentence = _of_no_difference(comparisons, words, periods)
    else:
        evidence = [beating[chosen]] if chosen in beating else []
        evidence += [one for one in shown if chosen in (one.first, one.second)]
        told = list(dict.fromkeys(evidence)) or shown
        others = [name for name in words if name not in {chosen, NEVER, *worse}]
        sentence = _of_evidence(chosen, told, others, words, periods)
    return Recommendation(every=chosen, shown=bool(shown), sentence=sentence)


def _of_evidence(
    chosen: str,
    shown: Sequence[ScheduleComparison],
    others: Sequence[str],
    words: dict[str, str],
    periods: int,
) -> str:
    """Return why a schedule is recommended where some are shown to be worse."""
    evidence = "; ".join(
        f"{words[one.second if one.better == one.first else one.first]} is shown to be worse than "
        f"{words[one.better]}, {_losses(one, words)}"
        for one in shown
    )
    also = (
        f". It is not shown to differ from {listed([words[name] for name in others])}"
        if others
        else ""
    )
    return f"{_begun(words[chosen])} is recommended: over {periods:,} periods, {evidence}{also}."


def _of_no_difference(
    comparisons: Sequence[ScheduleComparison], words: dict[str, str], periods: int
) -> str:
    """Return that never retraining is recommended, and what it might cost all the same."""
    against = [one for one in comparisons if one.second == NEVER]
    least = min(against, key=lambda one: one.log_loss.low)
    gain = -least.log_loss.low
    how = "; ".join(_losses(one, words) for one in against)
    if not np.any([(one.log_loss.low, one.log_loss.high) for one in comparisons]):
        how = "all schedules would have had the same models in production"
    elif gain > 0:
        how += f". By {words[least.first]}, up to {gain:.4f} nats per row might still be gained"
    return (
        f"No difference is shown, so {words[NEVER]} is recommended, which costs nothing: over "
        f"{periods:,} periods, {how}."
    )


def _losses(one: ScheduleComparison, words: dict[str, str]) -> str:
    return (
        f"log-loss of {words[one.first]} less that of {words[one.second]} "
        f"{difference(one.log_loss)}"
    )


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
