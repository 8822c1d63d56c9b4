"""All that the steps of a retraining found, as those that write and tell take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.settings.pipeline import Pipeline
from ffn.training.examination import Examination
from ffn.training.selection import Candidate, Selection
from ffn.training.steps import Prepared, Refitted

__all__ = ["Retrained"]


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """A new model that is not written yet.

    Attributes
    ----------
    pipeline, prepared
        What it was made from.
    candidates, selection, refitted
        How it was chosen, and the model itself.
    evaluation, examination
        What held-out rows say of it.
    """

    pipeline: Pipeline
    prepared: Prepared
    candidates: Sequence[Candidate]
    selection: Selection
    refitted: Refitted
    evaluation: HeldOutEvaluation
    examination: Examination
