"""The quality of a model on a labelled table of new rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.bundle import Bundle
from ffn.errors import DataError, FFNError, SettingsError, quote
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.promotion.champion import read_version
from ffn.promotion.register import jsonable
from ffn.quantities import counted
from ffn.scoring.labelled_table import LabelTexts, predict_labelled
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows, rows_of_bundle

__all__ = ["TableEvaluation", "evaluate_table"]

_NAMED = 5
_OPTIONS = ("delimiter", "decimal", "encoding", "on_unknown")


@dataclass(frozen=True, kw_only=True, repr=False)
class TableEvaluation:
    """Figures of a model on a labelled table, each with a 95 % interval.

    Rows count alike, and are taken for independent of each other.

    Attributes
    ----------
    pipeline, version
        Name of the pipeline, and number of the version; 0 for a bundle outside a registry.
    rows, evaluated
        Rows of the table, and those that the figures are of.
    left_out
        Number of the other rows by reason: ``trained_on`` (the model knows them), ``no_label``,
        ``unknown_label`` (no class of the model), or a reason for which scoring rejects a row.
    accuracy, balanced_accuracy, macro_f1, log_loss, brier, auc
        As in `ffn.evaluation.metrics.HeldOutEvaluation`; the labels are those that scoring
        writes, and where the model abstains, those that it would write.
    classes
        Rows, recall, precision, area under the ROC curve and average precision of each class.
    confusions
        Label, prediction and number of rows of every pair that occurs; indices into ``classes``.
    notices
        What to know before believing the figures, a sentence each.
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

    def __str__(self) -> str:
        told = (
            f"{self.evaluated:,} of {counted(self.rows, 'row')} evaluated with version "
            f"{self.version}: accuracy {_shown(self.accuracy)}, log-loss {_shown(self.log_loss)}, "
            f"ROC-AUC {_shown(self.auc)}, balanced accuracy {_shown(self.balanced_accuracy)}"
        )
        left = ", ".join(f"{reason} {rows:,}" for reason, rows in self.left_out.items())
        told += f"; left out: {left}" if left else ""
        return " ".join([f"{told}.", *self.notices])

    def __repr__(self) -> str:
        return f"<TableEvaluation of {self.pipeline}: {self}>"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; figures have value, low and high."""
        found: dict[str, Any] = jsonable(self)
        return found


def _shown(figure: Interval) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def evaluate_table(
    model: Scorer,
    artifacts: Path | None,
    table: Any,
    *,
    target: str | None = None,
    **options: Any,
) -> TableEvaluation:
    """Evaluate a model on the rows of a labelled table that it was not trained on.

    Parameters
    ----------
    model
        The model.
    artifacts
        Folder of the pipeline's results, in which the version is registered; None for a bundle
        outside a registry.
    table
        A CSV or Parquet file, or a table in memory.
    target
        Name of the label column; None, the default, for that of the training table.
    **options
        ``delimiter``, ``decimal``, ``encoding`` and ``on_unknown`` of
        `ffn.scoring.rows.options.Options`.

    Raises
    ------
    DataError
        The table cannot be read, lacks a column, or no row is left to evaluate.
    SettingsError
        There is no such option, or its value is invalid.
    """
    for name in options:
        if name not in _OPTIONS:
            raise SettingsError(
                f"there is no option {quote(name)}. There are {', '.join(_OPTIONS)}."
            )
    chosen = Options(**options)
    label, trained = _registered(model, artifacts, target)
    notices = []
    told = f"rows that version {model.version} was trained on"
    if trained is not None and not trained.telling:
        trained = None
        notices.append(f"In a table of few patterns, {told} cannot be told from new ones.")
    path = Path(table) if isinstance(table, str | os.PathLike) else None
    found = predict_labelled(model, table if path is None else path, label, trained, chosen)
    left_out = {reason: rows for reason, rows in found.left_out.items() if rows}
    if not len(found.labels):
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in left_out.items())
        raise DataError(
            f"{'the rows' if path is None else path}: none of {counted(found.rows, 'row')} can be "
            f"evaluated{f' ({reasons})' if reasons else ''}. Give labelled rows that the model was "
            "not trained on."
        )
    if trained is not None and not found.recognisable:
        notices.append(
            f"The table lacks a column of the training table, so {told} were not recognised: some "
            "may be among these, and the figures too good."
        )
    elif artifacts is None and not left_out.get("trained_on"):
        notices.append(
            "The bundle is outside a registry, so rows that it was trained on may not have been "
            "recognised. Load it from its registry to be sure."
        )
    seen = left_out.get("trained_on", 0)
    if seen:
        notices.append(
            f"The model was trained on {counted(seen, 'row')} of this table, which "
            f"{'is' if seen == 1 else 'are'} not in the figures."
        )
    figures = evaluate_probabilities(
        found.probabilities,
        found.labels,
        label.classes,
        seed=0,
        usual=int(np.bincount(found.labels, minlength=len(label.classes)).argmax()),
        rule=model.rule,
    )
    if found.unknown_labels:
        strange = sum(found.unknown_labels.values())
        named = ", ".join(quote(text, 30) for text, _ in found.unknown_labels.most_common(_NAMED))
        share = figures.correct / (figures.rows + strange)
        notices.append(
            f"{counted(strange, 'row')} with labels that the model does not know ({named}) "
            f"{'is' if strange == 1 else 'are'} not in the figures; counted as wrong, the accuracy "
            f"would be {share:.3f}."
        )
    return TableEvaluation(
        pipeline=model.pipeline,
        version=model.version,
        rows=found.rows,
        evaluated=figures.rows,
        left_out=left_out,
        accuracy=figures.accuracy,
        balanced_accuracy=figures.balanced_accuracy,
        macro_f1=figures.macro_f1,
        log_loss=figures.log_loss,
        brier=figures.brier,
        auc=figures.auc,
        classes=figures.classes,
        confusions=figures.confusions,
        notices=tuple(notices),
    )


def _registered(
    model: Scorer, artifacts: Path | None, target: str | None
) -> tuple[LabelTexts, TrainedRows | None]:
    """Return how labels are read, and the training rows, as far as they were registered."""
    column, classes = target or model.schema.target, model.schema.classes
    plain = LabelTexts(column=column, classes=classes)
    if artifacts is None:
        return plain, rows_of_bundle(model) if isinstance(model, Bundle) else None
    try:
        version = read_version(artifacts, model.version)
    except (FFNError, OSError):
        return plain, rows_of_bundle(model) if isinstance(model, Bundle) else None
    if version.bundle.sha256 != model.sha256:
        raise DataError(
            f"{artifacts}: version {model.version} is not the one that was loaded. Load it again."
        )
    trained = rows_of_bundle(version.bundle, version.columns)
    if version.settings is None:
        return plain, trained
    data = version.settings.data
    labels = {text: one for text, one in (data.labels or {}).items() if not one or one in classes}
    missing = tuple(text for text in ("", *data.missing_labels) if text not in classes)
    label = LabelTexts(column=column, classes=classes, labels=labels, missing=missing)
    return label, trained
