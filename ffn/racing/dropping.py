"""Which candidates of a search are dropped from its race, and how that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.errors import TrainingError
from ffn.evaluation.inference.race import Dropped, dropped_at, race_looks
from ffn.quantities import counted, p_equals
from ffn.search.combinations import combinations, is_searched
from ffn.settings.document import PipelineSettings
from ffn.training.rate_search import next_rate
from ffn.training.selection.candidate import Candidate, judged_losses

__all__ = ["compared_values", "drop_candidates", "dropped_in_words", "looks", "race_in_words"]

Array = npt.NDArray[Any]

_NAMED = 6


def looks(settings: PipelineSettings) -> tuple[int, ...]:
    """Return after how many resamples the candidates are looked at; nothing without a race.

    There is no race under a ``time_budget``, of which each candidate has an equal share: how far it
    gets depends on the clock. Nor under ``split.time``: the first windows are the oldest ones, and
    who is worse on them need not be on the newest.

    Parameters
    ----------
    settings
        Settings of the pipeline.
    """
    training = settings.training
    raced = is_searched(settings) and settings.search.race
    if not raced or training.time_budget is not None or settings.split.time is not None:
        return ()
    return race_looks(training.networks)


def drop_candidates(
    candidates: Sequence[Candidate],
    settings: PipelineSettings,
    criterion: Criterion | None,
    rivals: int,
) -> list[Candidate]:
    """Return the candidates that are dropped, each with the reason.

    One whose best rate lies at the edge of a grid that may still grow is not dropped, nor one of
    which no resample so far has a value of the metric, though networks of it finished.

    Parameters
    ----------
    candidates
        Candidates, trained on the same first resamples.
    settings
        Settings of the pipeline.
    criterion
        What they are compared by; None for the log-loss.
    rivals
        Number of other candidates when the race began.
    """
    values = {one.optimizer: compared_values(one, criterion) for one in candidates}
    judged = [
        one
        for one in candidates
        if np.isfinite(values[one.optimizer]).any() or not one.history.finished.any()
    ]
    if not judged:
        return []
    optimizers, made = settings.optimizers.candidates(), combinations(settings)
    found = dropped_at(
        np.array([values[one.optimizer] for one in judged]),
        [one.optimizer for one in judged],
        judged[0].validation_to_train,
        rivals,
        settings.training.networks,
    )
    return [
        replace(one, dropped=found[one.optimizer])
        for one in judged
        if one.optimizer in found
        and not (
            optimizers[made[one.optimizer].optimizer].grows and next_rate(one.search) is not None
        )
    ]


def dropped_in_words(dropped: Dropped) -> str:
    """Return when and why a candidate was dropped.

    Parameters
    ----------
    dropped
        What is known of it.
    """
    when = f"dropped after {dropped.resamples:,} of {counted(dropped.of, 'resample')}"
    if not dropped.best:
        return f"{when}: every network diverged"
    return f"{when}: {dropped.behind:.3g} behind {dropped.best} ({p_equals(dropped.p_value)})"


def race_in_words(dropped: Sequence[Candidate], of: int) -> str:
    """Return who was dropped at one look of a race: one line for the log.

    Parameters
    ----------
    dropped
        Those that were dropped.
    of
        Number of candidates that were looked at.
    """
    if not dropped:
        return f"none of {counted(of, 'candidate')} dropped"
    told = [
        f"{one.optimizer} {dropped_in_words(one.dropped)}"
        for one in dropped[:_NAMED]
        if one.dropped
    ]
    if len(dropped) > _NAMED:
        told.append(f"{len(dropped) - _NAMED:,} more")
    return f"{len(dropped):,} of {counted(of, 'candidate')} dropped: {'; '.join(told)}"


def compared_values(candidate: Candidate, criterion: Criterion | None) -> Array:
    """Return what is compared [k]; NaN where no resample so far has a value of the metric.

    Parameters
    ----------
    candidate
        The candidate.
    criterion
        What candidates are compared by; None for the log-loss.
    """
    k = len(candidate.history.finished)
    if not candidate.history.finished.any():
        return np.full(k, np.nan)
    try:
        return judged_losses(candidate, criterion)
    except TrainingError:
        return np.full(k, np.nan)
