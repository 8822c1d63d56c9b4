"""Selection of the optimizer by validation log-loss or metric, each at its best learning rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.errors import TrainingError
from ffn.evaluation.inference.crossfitting import crossfitted
from ffn.evaluation.inference.statistics import Interval, corrected_t, holm, resampled_mean
from ffn.training.selection.candidate import Candidate, judged_losses
from ffn.training.selection.choice_words import choice_reason, crossfitted_sentence
from ffn.training.selection.leaderboard import CandidateComparison, Ranked, Selection

__all__ = ["ALPHA", "select_best"]

Array = npt.NDArray[Any]

# Two optimizers differ significantly if the adjusted p-value is below this level.
ALPHA = 0.05


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
    reason = choice_reason(tied, best.optimizer, candidates, sound, criterion, searched=searched)
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
