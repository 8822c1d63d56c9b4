"""Selection of the optimizer by validation log-loss or metric, each at its best learning rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.errors import TrainingError
from ffn.evaluation.inference.crossfitting import crossfitted
from ffn.evaluation.inference.race import Dropped
from ffn.evaluation.inference.statistics import Interval, corrected_t, holm, resampled_mean
from ffn.nn import OPTIMIZERS, History, Network, Optimizer
from ffn.quantities import counted, interval, listed
from ffn.training.rate_search import RateLine, RateSearch
from ffn.training.temperature import ValidationAnswers

__all__ = [
    "ALPHA",
    "Candidate",
    "CandidateComparison",
    "Ranked",
    "Selection",
    "crossfitted_sentence",
    "judged_losses",
    "select_best",
]

Array = npt.NDArray[Any]

# Two optimizers differ significantly if the adjusted p-value is below this level.
ALPHA = 0.05
# Of a search, dozens may tie; the leaderboard has them all.
_TIES_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One optimizer with its K networks, trained on K resamples.

    Attributes
    ----------
    optimizer
        Its name, a key of ``ffn.nn.OPTIMIZERS``.
    hyperparameters
        The optimizer itself, at the learning rate that was chosen on all resamples.
    search
        The learning rates that were tried, and which of them were chosen.
    history
        Losses and accuracies [epochs, K] by which the optimizer is compared: network k is the one
        at the rate that was chosen on all resamples but k.
    final
        Losses and accuracies [epochs, K] at the rate that was chosen on all resamples.
    ended
        How many of these networks the time budget ended.
    members
        The networks at that rate; None unless the model is made of them.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    seconds
        Wall time of the training.
    answers
        Predictions of the networks for their validation rows, or for a sample of them; None if
        they were not computed.
    taken
        Whether it was not trained now, but by a retraining that was interrupted.
    dropped
        Why a race dropped it; its K is then the number of resamples until that. None if it is
        trained on all of them.
    """

    optimizer: str
    hyperparameters: Optimizer
    search: RateSearch
    history: History
    final: History
    ended: int = 0
    members: Network | None = None
    validation_to_train: float
    seconds: float
    answers: ValidationAnswers | None = None
    taken: bool = False
    dropped: Dropped | None = None

    @property
    def validation_loss(self) -> Array:
        """Validation log-loss [K] of the kept parameters, nats per row."""
        return self.history.at_best("validation_loss")

    @property
    def validation_accuracy(self) -> Array:
        """Validation accuracy [K] of the kept parameters."""
        return self.history.at_best("validation_accuracy")


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


def select_best(
    candidates: Sequence[Candidate],
    criterion: Criterion | None = None,
    searched: bool = False,
) -> Selection:
    """Choose an optimizer by mean validation log-loss, or by the metric of the settings.

    All pairs are compared on their common resamples by the corrected resampled t-test, adjusted by
    Holm. A candidate is tied with the lowest mean loss if it does not differ significantly from it
    and its mean is no further away than the spread of the lowest explains (with few resamples the
    test has little power, and a large difference that is not significant is still not a tie). The
    simplest of the tied wins.

    Of a search the lowest mean wins, of equal ones the simplest; that others tie with it is only
    said. Dozens of candidates always tie, and to take the simplest of them costs more than it
    gains: ``python -m simulations searches``.

    An optimizer of which more networks diverged than of another ranks behind it. The others are
    ranked on the resamples on which all of them finished, because means over different resamples
    would favour an optimizer that diverged on the hard ones. If there is no such resample, there
    are no ties.

    Parameters
    ----------
    candidates
        At least one, trained on the same resamples, the simplest optimizer first.
    criterion
        The metric. It is that of the networks at the rate with the lowest log-loss on all
        resamples. None, the default: the log-loss.
    searched
        Whether they are the combinations of a search, some of which may have been dropped by a
        race. By default they are optimizers.

    Raises
    ------
    TrainingError
        Every network of every candidate diverged, or no resample has a value of the metric.
    """
    usable = [c for c in candidates if c.history.finished.any() and not c.dropped]
    if not usable:
        reasons = "; ".join(f"{c.optimizer}: {c.history.diverged[0]}" for c in candidates)
        raise TrainingError(
            f"every network diverged ({reasons}). Lower the learning rates in [optimizers], and "
            "remove settings that are far from their defaults."
        )
    fewest = min(int((~c.history.finished).sum()) for c in usable)
    sound = {c.optimizer for c in usable if (~c.history.finished).sum() == fewest}
    common = np.all([c.history.finished for c in usable if c.optimizer in sound], axis=0)
    aside = [c for c in candidates if c.history.finished.any() and c.dropped]
    k = len(common)
    judged = {c.optimizer: _padded(judged_losses(c, criterion), k) for c in [*usable, *aside]}
    mean_loss = {
        c.optimizer: float(
            _on(judged[c.optimizer], common if c.optimizer in sound else c.history.finished).mean()
        )
        for c in usable
    }
    ranked = sorted(usable, key=lambda c: (c.optimizer not in sound, mean_loss[c.optimizer]))
    best = ranked[0]
    ranked += sorted(
        aside, key=lambda c: (-len(c.history.finished), _finished(judged[c.optimizer]).mean())
    )

    pairs = list(itertools.combinations(ranked, 2))
    differences = [
        _finished(judged[first.optimizer] - judged[second.optimizer]) for first, second in pairs
    ]
    adjusted = holm(
        [
            corrected_t(d, a.validation_to_train)
            for d, (a, _) in zip(differences, pairs, strict=True)
        ]
    )
    p_to_best = {best.optimizer: 1.0} | {
        second.optimizer: p
        for (first, second), p in zip(pairs, adjusted, strict=True)
        if first is best
    }
    own = resampled_mean(_on(judged[best.optimizer], common), best.validation_to_train)
    # The standard error of a difference of two independent means is sqrt(2) times that of one;
    # on common resamples it is smaller, so this bound is a wide one.
    bound = own.value + math.sqrt(2) * (own.high - own.value)
    tied = [
        c.optimizer
        for c in candidates
        if c is best
        or (
            c.optimizer in sound
            and common.any()
            and p_to_best[c.optimizer] >= ALPHA
            and mean_loss[c.optimizer] <= bound
        )
    ]
    estimate, left = None, [judged[c.optimizer] for c in usable]
    first = max((c.dropped.resamples for c in candidates if c.dropped), default=0)
    if searched and len(left) + len(aside) > 1:
        estimate = _crossfitted(left, first, best, criterion)
    reason = _reason(tied, best.optimizer, candidates, sound, criterion, searched=searched)
    if estimate is not None:
        told = crossfitted_sentence(estimate, len(left) + len(aside), criterion, first)
        reason = f"{reason} {told}"
    return Selection(
        winner=best.optimizer if searched else tied[0],
        reason=reason,
        leaderboard=tuple(
            Ranked(
                optimizer=c.optimizer,
                loss=_clipped(c, c.validation_loss, np.inf),
                accuracy=_clipped(c, c.validation_accuracy, 1.0),
                p_value=p_to_best[c.optimizer],
                tied=c.optimizer in tied,
                finished=int(c.history.finished.sum()),
                networks=len(c.history.finished),
                learning_rate=c.search.rate,
                rates=c.search.lines,
                edge=c.search.edge,
                seconds=c.seconds,
                ended=c.ended,
                figure=_figure(c, judged[c.optimizer], criterion),
                dropped=c.dropped,
            )
            for c in ranked
        ),
        comparisons=tuple(
            CandidateComparison(
                first=first.optimizer,
                second=second.optimizer,
                difference=resampled_mean(difference, first.validation_to_train),
                p_value=p,
            )
            for (first, second), difference, p in zip(pairs, differences, adjusted, strict=True)
        ),
        metric=criterion.words if criterion else "",
        crossfitted=estimate,
    )


def crossfitted_sentence(
    estimate: Interval, candidates: int, criterion: Criterion | None, first: int = 0
) -> str:
    """Return what to expect of taking the candidate of a search with the best mean.

    Parameters
    ----------
    estimate
        Mean over the resamples of the candidate that is best on the other ones, with its interval.
    candidates
        Number of candidates.
    criterion
        What they were compared by; None for the log-loss.
    first
        After how many resamples a race dropped the last one that it dropped; by default nobody.
    """
    what = criterion.words if criterion else "log-loss"
    after = f" after the first {first}, which dropped candidates," if first else ""
    return (
        f"The best of {candidates:,} means is optimistic, because it is the best. If for each "
        f"resample{after} the candidate is chosen on the other ones, the mean validation "
        f"{what} is {interval(estimate)}."
    )


def _crossfitted(
    left: Sequence[Array], first: int, best: Candidate, criterion: Criterion | None
) -> Interval | None:
    """Return the mean of the candidate that is best on all resamples but the one it is judged on.

    None where that cannot be said, as networks of all candidates diverged on the resample.
    """
    found = crossfitted(np.array(left), first)
    if len(found) < 2:
        return None
    return _as_figure(resampled_mean(found, best.validation_to_train), criterion)


def _padded(values: Array, k: int) -> Array:
    """Return the values with NaN for the resamples on which a candidate was not trained."""
    return np.concatenate([values, np.full(k - len(values), np.nan)])


def judged_losses(candidate: Candidate, criterion: Criterion | None) -> Array:
    """Return by what a candidate is compared [K], the lower the better; NaN where it has nothing.

    Parameters
    ----------
    candidate
        The candidate.
    criterion
        The metric; None for the log-loss.

    Raises
    ------
    TrainingError
        No resample has a value of the metric.
    """
    if criterion is None:
        return candidate.validation_loss
    answers, k = candidate.answers, len(candidate.history.finished)
    found = np.full(k, np.nan)
    if answers is not None:
        found = criterion.of_networks(
            answers.probabilities(), answers.labels, answers.networks, answers.fingerprints, k
        )
    if not np.isfinite(found).any():
        raise TrainingError(
            f"decision.metric: no resample's validation rows give the {criterion.words} of "
            f"{candidate.optimizer}; they lack a class. Add rows of it, or raise "
            "training.validation_share."
        )
    return -found if criterion.higher else found


def _figure(candidate: Candidate, judged: Array, criterion: Criterion | None) -> Interval | None:
    if criterion is None:
        return None
    return _as_figure(resampled_mean(_finished(judged), candidate.validation_to_train), criterion)


def _as_figure(judged: Interval, criterion: Criterion | None) -> Interval:
    """Return the mean of what is compared as that of the metric, within its range."""
    if criterion is not None and criterion.higher:
        # The negative of zero would be shown with its sign.
        return Interval(0.0 - judged.value, max(0.0, -judged.high), min(1.0, 0.0 - judged.low))
    return Interval(judged.value, max(0.0, judged.low), judged.high)


def _on(values: Array, resamples: Array) -> Array:
    """Return the values on these resamples; if there are none, of all networks that finished."""
    return _finished(values[resamples if resamples.any() else slice(None)])


def _finished(values: Array) -> Array:
    """Return the values of the networks that did not diverge."""
    finished: Array = values[np.isfinite(values)]
    return finished


def _clipped(candidate: Candidate, values: Array, highest: float) -> Interval:
    """Return the mean, with its interval clipped to the possible range."""
    raw = resampled_mean(_finished(values), candidate.validation_to_train)
    return Interval(raw.value, max(0.0, raw.low), min(highest, raw.high))


def _reason(
    tied: list[str],
    lowest: str,
    candidates: Sequence[Candidate],
    sound: set[str],
    criterion: Criterion | None,
    *,
    searched: bool,
) -> str:
    if len(candidates) == 1:
        return f"{lowest} is the only candidate."
    usable = [c.optimizer for c in candidates if c.history.finished.any()]
    raced = sum(c.dropped is not None and c.optimizer in usable for c in candidates)
    out = {c.optimizer for c in candidates if c.dropped}
    aside = [name for name in usable if name not in sound and name not in out]
    gone = [c.optimizer for c in candidates if c.optimizer not in usable]
    lost = f" Set aside because more networks diverged: {', '.join(aside)}." if aside else ""
    lost += f" Excluded because every network diverged: {', '.join(gone)}." if gone else ""
    if len(usable) == 1:
        return f"{lowest} is the only remaining candidate.{lost}"
    what = "lowest mean validation log-loss"
    if criterion:
        extreme = "highest" if criterion.higher else "lowest"
        what = f"{extreme} mean {criterion.words} on validation rows"
    first = f"{lowest} has the {what}"
    if raced:
        lost = f" A race dropped {counted(raced, 'candidate')} shown to be worse.{lost}"
    others = [name for name in tied if name != lowest]
    if searched:
        tie = f"{counted(len(others), 'other')} {'ties' if len(others) == 1 else 'tie'} with it"
        return f"{first} and is chosen; {tie if others else 'no other ties with it'}.{lost}"
    if not others:
        return f"{first}; no other ties with it.{lost}"
    named = others
    if len(others) > _TIES_NAMED:
        named = [*others[: _TIES_NAMED - 1], f"{len(others) - _TIES_NAMED + 1:,} others"]
    return (
        f"{first}; {listed(named)} {'ties' if len(others) == 1 else 'tie'} with it, and "
        f"the simplest of these is chosen: {tied[0]}.{lost}"
    )
