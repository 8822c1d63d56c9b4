"""The quality of a model on a labelled table of new rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.bundle import Bundle
from ffn.errors import DataError, FFNError, SettingsError, quote
from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.promotion.champion import Opponent, read_version
from ffn.quantities import counted
from ffn.scoring.judged.group_figures import known_and_new
from ffn.scoring.judged.labelled_blocks import LabelTexts
from ffn.scoring.judged.row_keys import PLAIN_ROWS, KeyNames
from ffn.scoring.judged.table_figures import NoRowToEvaluateError, TableEvaluation
from ffn.scoring.judged.training_groups import training_groups
from ffn.scoring.labelled_table import LabelledRows, predict_labelled
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows, rows_of_bundle
from ffn.slices.row_slices import row_slices
from ffn.slices.slice_search import SliceSearch, search_slices
from ffn.storage.source import Source

__all__ = ["evaluate_table"]

_NAMED = 5
_OPTIONS = ("delimiter", "decimal", "encoding", "on_unknown")


def evaluate_table(
    model: Scorer,
    artifacts: Path | None,
    table: Any,
    *,
    target: str | None = None,
    weight: str | None = None,
    group: str | None = None,
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
        A CSV or Parquet file, such a file that is open, or a table in memory.
    target
        Name of the label column; None, the default, for that of the training table.
    weight, group
        Names of the columns of weights and of groups, which the table must have; None, the
        default, for those that the version was trained with, if the table has them.
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
    label, version, trained, keys = _registered(model, artifacts, target)
    grouped = keys.group is not None
    keys = KeyNames(
        weight=weight or keys.weight,
        group=group or keys.group,
        asked=frozenset(key for key, name in (("weight", weight), ("group", group)) if name),
    )
    notices = []
    told = f"rows that version {model.version} was trained on"
    if trained is not None and not trained.telling:
        trained = None
        notices.append(f"In a table of few patterns, {told} cannot be told from new ones.")
    path = Path(table) if isinstance(table, str | os.PathLike) else None
    where = table.name if isinstance(table, Source) else path or "the table"
    found = predict_labelled(model, path or table, label, trained, chosen, keys)
    left_out = {reason: rows for reason, rows in found.left_out.items() if rows}
    if not len(found.labels):
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in left_out.items())
        raise NoRowToEvaluateError(
            f"{where}: none of {counted(found.rows, 'row')} can be "
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
        usual=int(np.bincount(found.labels, found.weights, minlength=len(label.classes)).argmax()),
        rule=model.rule,
        groups=found.groups,
        weights=found.weights,
    )
    known_groups, groups = None, found.groups if grouped else None
    if artifacts and version and trained and groups is not None:
        own = found.probabilities[np.arange(len(found.labels)), found.labels]
        right = model.rule.labels(found.probabilities) == found.labels
        try:
            of_training = training_groups(artifacts, version, trained)
            known_groups = known_and_new(right, own, groups, found.weights, of_training)
        except (FFNError, OSError) as error:
            notices.append(f"Whether groups are new to the version is not known: {error}")
    notices += [*_lacking(keys, found.keys), *_strange_labels(found, figures.correct)]
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
        groups=figures.groups,
        effective_rows=figures.effective_rows,
        known_groups=known_groups,
        slices=_worst_served(model, found),
    )


def _lacking(wanted: KeyNames, there: KeyNames) -> list[str]:
    """Return what follows from columns that the model was trained with and the table lacks."""
    told = []
    if wanted.weight and not there.weight:
        told.append(
            f"The table lacks {quote(wanted.weight)}, by which training weights rows, so its rows "
            "count alike."
        )
    if wanted.group and not there.group:
        told.append(
            f"The table lacks {quote(wanted.group)}, by which training groups rows, so its rows "
            "are taken for independent: intervals may be too narrow."
        )
    return told


def _strange_labels(found: LabelledRows, correct: int) -> list[str]:
    """Return what rows with labels that the model does not know would make of the accuracy."""
    strange = sum(found.unknown_labels.values())
    if not strange:
        return []
    named = ", ".join(quote(text, 30) for text, _ in found.unknown_labels.most_common(_NAMED))
    told = (
        f"{counted(strange, 'row')} with labels that the model does not know ({named}) "
        f"{'is' if strange == 1 else 'are'} not in the figures"
    )
    if found.weights is not None or found.groups is not None:
        # Nobody asked for their weights, or whether they have a group: how many would count is
        # unknown.
        return [f"{told}; counted as wrong, the accuracy would be lower."]
    share = correct / (len(found.labels) + strange)
    return [f"{told}; counted as wrong, the accuracy would be {share:.3f}."]


def _worst_served(model: Scorer, found: LabelledRows) -> SliceSearch | None:
    """Search for slices that are served worse; None if it is not known how numbers are divided."""
    if model.reference is None:
        return None
    rows, numeric, codes = found.searched.chosen()
    probabilities, labels = found.probabilities[rows], found.labels[rows]
    return search_slices(
        row_slices(model.schema, model.reference, numeric, codes),
        model.rule.labels(probabilities),
        labels,
        row_losses(probabilities, labels),
        row_losses(probabilities, probabilities.argmin(axis=1)),
        model.schema.classes,
        groups=None if found.groups is None else found.groups[rows],
        weights=None if found.weights is None else found.weights[rows],
    )


def _registered(
    model: Scorer, artifacts: Path | None, target: str | None
) -> tuple[LabelTexts, Opponent | None, TrainedRows | None, KeyNames]:
    """Return how labels and keys are read, and the version, as far as registered."""
    column, classes = target or model.schema.target, model.schema.classes
    plain = LabelTexts(column=column, classes=classes)
    try:
        version = None if artifacts is None else read_version(artifacts, model.version)
    except (FFNError, OSError):
        version = None
    if version is None:
        known = rows_of_bundle(model) if isinstance(model, Bundle) else None
        return plain, None, known, PLAIN_ROWS
    if version.bundle.sha256 != model.sha256:
        raise DataError(
            f"{artifacts}: version {model.version} is not the one that was loaded. Load it again."
        )
    trained = rows_of_bundle(version.bundle, version.columns)
    if version.settings is None:
        return plain, version, trained, PLAIN_ROWS
    data = version.settings.data
    labels = {text: one for text, one in (data.labels or {}).items() if not one or one in classes}
    missing = tuple(text for text in ("", *data.missing_labels) if text not in classes)
    label = LabelTexts(column=column, classes=classes, labels=labels, missing=missing)
    keys = KeyNames(weight=data.weight, group=version.settings.split.group)
    return label, version, trained, keys
