"""Result of the selection: the leaderboard, all comparisons, the winner and the reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from ffn.evaluation.inference.race import Dropped
from ffn.evaluation.inference.statistics import Interval
from ffn.nn import OPTIMIZERS
from ffn.training.rate_search import RateLine

__all__ = ["CandidateComparison", "Ranked", "Selection"]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A line of the leaderboard.

    Attributes
    ----------
    optimizer
        Name of the optimizer.
    loss, accuracy
        Validation means over the networks that finished, with 95 % intervals; loss in nats per
        row.
    p_value
        Holm-adjusted p-value of no difference from the lowest mean loss; 1 for the lowest itself.
    tied
        Whether it is tied with the lowest mean loss, by the rule of `select_best`.
    finished, networks
        Number of networks that did not diverge, and of all.
    learning_rate
        The rate that was chosen on all resamples.
    rates
        Every rate that was tried, ascending, with its mean validation log-loss.
    edge
        ``lowest`` or ``highest`` if the chosen one is at the edge of those; else empty.
    seconds
        Wall time of the training.
    ended
        Number of networks at that rate that the time budget ended.
    figure
        Mean of ``decision.metric`` on the validation rows, with its interval; None if that is the
        log-loss.
    dropped
        When and why a race dropped it; None if it is trained on all resamples.
    """

    optimizer: str
    loss: Interval
    accuracy: Interval
    p_value: float
    tied: bool
    finished: int
    networks: int
    learning_rate: float
    rates: tuple[RateLine, ...]
    edge: str
    seconds: float
    ended: int = 0
    figure: Interval | None = field(default=None, metadata={"omitted": True})
    dropped: Dropped | None = field(default=None, metadata={"omitted": True})


@dataclass(frozen=True, kw_only=True)
class CandidateComparison:
    """Comparison of two optimizers on the same resamples.

    Attributes
    ----------
    first, second
        Names of the optimizers.
    difference
        Mean validation log-loss of the first minus the second, nats per row; or what the second
        gains over the first by ``decision.metric``.
    p_value
        Two-sided, adjusted by Holm over all pairs.
    """

    first: str
    second: str
    difference: Interval
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Result of the selection.

    Attributes
    ----------
    winner
        Name of the chosen optimizer.
    reason
        Why it was chosen, in one sentence or more.
    leaderboard
        All candidates, the lowest mean loss first; those that a race dropped come last.
    comparisons
        All pairs.
    metric
        What they were compared by, in words; empty for the log-loss.
    crossfitted
        Of a search, the mean over the resamples of the candidate that is best on the other ones,
        with its interval; of a race only over resamples that dropped nobody. None without a search.
    """

    winner: str
    reason: str
    leaderboard: tuple[Ranked, ...]
    comparisons: tuple[CandidateComparison, ...]
    metric: str = field(default="", metadata={"omitted": True})
    crossfitted: Interval | None = field(default=None, metadata={"omitted": True})

    @property
    def noun(self) -> str:
        """What a line of the leaderboard is: an optimizer, or a candidate of a search."""
        names = (line.optimizer for line in self.leaderboard)
        return "optimizer" if all(name in OPTIMIZERS for name in names) else "candidate"
