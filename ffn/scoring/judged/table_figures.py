"""The figures of a model on a labelled table, and how they are told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ffn.errors import DataError
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.register import jsonable
from ffn.quantities import NOTHING, counted
from ffn.scoring.judged.group_figures import KnownGroups
from ffn.slices.slice_search import SliceSearch
from ffn.slices.slice_words import search_sentence

__all__ = ["NoRowToEvaluateError", "TableEvaluation"]


class NoRowToEvaluateError(DataError):
    """A labelled table can be read, and no row of it can be evaluated."""


@dataclass(frozen=True, kw_only=True, repr=False)
class TableEvaluation:
    """Figures of a model on a labelled table, each with a 95 % interval.

    Rows count by their weights, and groups of rows are the unit of the intervals, where the model
    was trained so and the table has the columns.

    Attributes
    ----------
    pipeline, version
        Name of the pipeline, and number of the version; 0 for a bundle outside a registry.
    rows, evaluated
        Rows of the table, and those that the figures are of.
    left_out
        Number of the other rows by reason: ``trained_on`` (the model knows them), ``no_label``,
        ``unknown_label`` (no class of the model), ``weightless`` (weight 0), ``no_weight`` (none
        that can be used), ``no_group``, or a reason for which scoring rejects a row.
    accuracy, balanced_accuracy, macro_f1, log_loss, brier, auc
        As in `ffn.evaluation.metrics.HeldOutEvaluation`; the labels are those that scoring
        writes, and where the model abstains, those that it would write.
    classes
        Rows, recall, precision, area under the ROC curve and average precision of each class.
    confusions
        Label, prediction and number of rows of every pair that occurs; indices into ``classes``.
    notices
        What to know before believing the figures, a sentence each.
    groups
        Number of groups that the rows are of; 0 if they are taken for independent.
    effective_rows
        Number of rows of equal weight that would say as much; 0 if rows count alike.
    known_groups
        The figures of groups that training knew, and of new ones; None if rows have no groups, or
        it is not known.
    slices
        The search for groups of rows that are served worse than all others, as in the report of a
        retraining; None if the bundle lacks the histograms that divide numbers into quarters.
    """

    pipeline: str
    version: int
    rows: int
    evaluated: int
    left_out: dict[str, int]
    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    log_loss: Interval
    brier: Interval
    auc: Interval
    classes: tuple[ClassFigures, ...]
    confusions: tuple[tuple[int, int, int], ...]
    notices: tuple[str, ...]
    groups: int = 0
    effective_rows: float = 0.0
    known_groups: KnownGroups | None = field(default=None, metadata={"omitted": True})
    slices: SliceSearch | None = field(default=None, metadata={"omitted": True})

    def __str__(self) -> str:
        told = (
            f"{self.evaluated:,} of {counted(self.rows, 'row')} evaluated with version "
            f"{self.version}{self.judges}: {self.said}"
        )
        left = ", ".join(f"{reason} {rows:,}" for reason, rows in self.left_out.items())
        told += f"; left out: {left}" if left else ""
        return " ".join([f"{told}.", *self.notices, *self.by_group, *self.searched])

    @property
    def said(self) -> str:
        """The figures over all classes, each with its interval."""
        return (
            f"accuracy {_shown(self.accuracy)}, log-loss {_shown(self.log_loss)}, "
            f"ROC-AUC {_shown(self.auc)}, balanced accuracy {_shown(self.balanced_accuracy)}"
        )

    @property
    def judges(self) -> str:
        """Of how many groups, and by what weight, the rows are, to go behind their number."""
        told = f", of {counted(self.groups, 'group')}" if self.groups else ""
        if self.effective_rows:
            told += f" (by weight as many as {self.effective_rows:,.1f} equal ones)"
        return told

    @property
    def by_group(self) -> tuple[str, ...]:
        """A sentence on known and new groups; none where that is not known."""
        return () if self.known_groups is None else (str(self.known_groups),)

    @property
    def searched(self) -> tuple[str, ...]:
        """A sentence on the slices that are shown to be served worse; none without a search."""
        return () if self.slices is None else (search_sentence(self.slices, "evaluated row"),)

    def __repr__(self) -> str:
        return f"<TableEvaluation of {self.pipeline}: {self}>"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; figures have value, low and high."""
        found: dict[str, Any] = jsonable(self)
        return found


def _shown(figure: Interval) -> str:
    if math.isnan(figure.value):
        # Of these figures only the ROC-AUC may have none.
        return f"{NOTHING} (all labels are of one class)"
    if math.isinf(figure.high):
        return f"{figure.value:.3f} (no interval)"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
