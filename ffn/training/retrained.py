"""Results of a retraining, as input for registering and reporting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.settings.pipeline import Pipeline
from ffn.training.examination import Examination
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.leaderboard import Selection
from ffn.training.steps import Prepared, Refitted

__all__ = ["Retrained"]


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """Results of all steps of a retraining, before the model is registered.

    Attributes
    ----------
    pipeline
        Settings and folders.
    prepared
        Inputs, split into training part and held-out rows.
    candidates
        Networks of every optimizer, trained on resamples.
    selection
        The chosen optimizer, with the comparison that led to it.
    refitted
        The model, trained on the whole training part.
    evaluation
        Its metrics on the held-out rows.
    examination
        Further analyses on them.
    """

    pipeline: Pipeline
    prepared: Prepared
    candidates: Sequence[Candidate]
    selection: Selection
    refitted: Refitted
    evaluation: HeldOutEvaluation
    examination: Examination
