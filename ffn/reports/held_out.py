"""Held-out results in Markdown: metrics, classes, calibration, features, mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ffn.evaluation.calibration import Calibration
from ffn.evaluation.class_figures import ClassFigures, share_of_class
from ffn.evaluation.importance import Importance
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.evaluation.mistakes import Mistake
from ffn.quantities import NOTHING, both_told_apart, counted, difference, interval
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table
from ffn.reports.pictures.canvas import middle_cut
from ffn.reports.pictures.feature_importance import DRAWN
from ffn.training.examination import TemperatureEffect
from ffn.training.temperature import Temperature

__all__ = [
    "calibration_markdown",
    "class_table",
    "figure_table",
    "importance_markdown",
    "later_sentence",
    "loss_doubt",
    "mistakes_markdown",
    "shown_name",
    "temperature_markdown",
    "unit_note",
    "weight_note",
]

# Longer names would push the numbers off the screen.
_NAME_LETTERS = 60
_CELL_LETTERS = 24
_CELLS = 6
_LEFT_OUT_NAMED = 30


def shown_name(name: str) -> str:
    """Return the name of a class or feature, shortened to 60 characters and escaped."""
    return escape(middle_cut(name, _NAME_LETTERS))


def figure_table(evaluation: HeldOutEvaluation) -> str:
    """Return a table of the metrics over all classes, each with its interval and definition."""
    calibration = evaluation.calibration
    error, limit = both_told_apart(calibration.error, calibration.limit, 3)
    figures = [
        ("accuracy", interval(evaluation.accuracy), "share of correctly labelled rows; Wilson"),
        (
            "balanced accuracy",
            interval(evaluation.balanced_accuracy),
            "unweighted mean of the classes' recalls",
        ),
        ("macro-F1", interval(evaluation.macro_f1), "unweighted mean of the classes' F1"),
        ("ROC-AUC", interval(evaluation.auc), _auc_definition(evaluation)),
        (
            "average precision",
            interval(evaluation.average_precision),
            _precision_definition(evaluation),
        ),
        ("log-loss", interval(evaluation.log_loss), "nats per row; bootstrap, so approximate"),
        ("Brier score", interval(evaluation.brier), "squared error of the probabilities, 0 to 2"),
        (
            "calibration error",
            error,
            f"expected calibration error; if perfectly calibrated {calibration.expected:.3f} on "
            f"average, above {limit} one time in twenty",
        ),
    ]
    rows = table([{"metric": a, "value": b, "definition": c} for a, b, c in figures], left=3)
    notes = (
        loss_doubt(evaluation),
        weight_note(evaluation),
        unit_note(evaluation),
        later_sentence(evaluation),
    )
    return "\n\n".join(filter(None, (rows, *notes)))


def weight_note(evaluation: HeldOutEvaluation) -> str:
    """Return a sentence on figures of weighted rows; empty if rows count alike."""
    if not evaluation.effective_rows:
        return ""
    return (
        "Rows are weighted: numbers of rows count each once, all other figures by its weight. The "
        f"{counted(evaluation.rows, 'row')} say as much as {evaluation.effective_rows:,.1f} of "
        "equal weight would. Where a method for rows is named, its counterpart for weighted means "
        "was used (docs/weights.md)."
    )


def unit_note(evaluation: HeldOutEvaluation) -> str:
    """Return a sentence on intervals of rows that come in groups; empty if they do not."""
    if not evaluation.groups:
        return ""
    return (
        "Rows of one group are not independent of each other. Here and in all that follows the "
        f"unit of intervals and tests is the group, of which there are {evaluation.groups:,}; "
        "where a method for rows is named, its counterpart for groups was used "
        "(docs/splits.md)."
    )


def _auc_definition(evaluation: HeldOutEvaluation) -> str:
    if evaluation.positive:
        return "how often a row of a class is ranked above one of the other; by chance one half"
    return "unweighted mean over the classes, each against all others; by chance one half"


def _precision_definition(evaluation: HeldOutEvaluation) -> str:
    if not evaluation.positive:
        return "unweighted mean over the classes, each against all others"
    chance = f"{share_of_class(evaluation.classes, evaluation.positive):.3f} by chance"
    return f"of {shown_name(evaluation.positive)}, the rarer class in training; {chance}"


def loss_doubt(evaluation: HeldOutEvaluation) -> str:
    """Return a sentence on why the log-loss has no interval; empty if it has one."""
    if math.isfinite(evaluation.log_loss.high):
        return ""
    if evaluation.groups == 1:
        return "The log-loss has no interval: its variance cannot be estimated from one group."
    if evaluation.rows == 1:
        return "The log-loss has no interval: its variance cannot be estimated from one row."
    return (
        "The log-loss has no interval: it is the same for every row, so its variance cannot be "
        "estimated."
    )


def later_sentence(evaluation: HeldOutEvaluation) -> str:
    """Return what to expect of later rows, as a sentence; empty if rows are not split by time."""
    later = evaluation.later
    if later is None:
        return ""
    return (
        "For a later period expect accuracy "
        f"{interval(later.accuracy)} and log-loss {interval(later.log_loss)}: mean and 95 % "
        f"prediction intervals from {later.periods} consecutive periods, each judged by models "
        "trained on earlier rows."
    )


def class_table(classes: Sequence[ClassFigures]) -> str:
    """Return a table of each class's rows, recall, precision and ranking metrics."""
    rows = [
        {
            "class": shown_name(figures.name),
            "rows": f"{figures.rows:,}",
            "recall": interval(figures.recall),
            "precision": interval(figures.precision),
            "ROC-AUC": interval(figures.auc),
            "average precision": interval(figures.average_precision),
        }
        for figures in classes
    ]
    return table(rows)


def calibration_markdown(calibration: Calibration) -> str:
    """Return a paragraph on whether the model's confidences match its accuracy."""
    error, limit = both_told_apart(calibration.error, calibration.limit, 3)
    found = (
        "The error is larger than chance explains: **the model is not well calibrated.**"
        if calibration.shown_wrong
        else "The error is within what chance explains: there is no evidence of miscalibration."
    )
    return (
        f"The expected calibration error (Guo et al. 2017) is {error}: the mean distance between "
        "confidence and accuracy over 15 bins of equal width, weighted by their rows. On this "
        "many rows, a perfectly calibrated model with the same confidences would have an error of "
        f"{calibration.expected:.3f} on average, and above {limit} one time in twenty. {found}"
    )


def temperature_markdown(
    temperature: Temperature | None,
    effect: TemperatureEffect | None = None,
    *,
    distilled: bool = False,
) -> str:
    """Return a paragraph on temperature scaling: the fitted value, and whether it is applied.

    Parameters
    ----------
    temperature
        Temperature fitted to the winner's validation rows; None for an ensemble or its student.
    effect
        What the applied temperature changes on the held-out rows; None if it is not applied.
    distilled
        Whether the model is the student of an ensemble. Default: no.
    """
    if distilled:
        return (
            "No temperature was fitted, because the network learnt the averaged probabilities of "
            "an ensemble."
        )
    if temperature is None:
        return "No temperature was fitted, because the model is an ensemble of averaged networks."
    fitted = (
        f"A temperature of {temperature.value:.3f} fits "
        f"{counted(temperature.rows, 'validation row')} of the winner's networks best (a row "
        "counts once for each network). Cross-validated, it changes the log-loss by "
        f"{difference(temperature.change)}."
    )
    if not temperature.applied:
        found = "shown to do harm" if temperature.change.low > 0 else "not shown to help"
        return f"{fitted} This is {found}, so no temperature is applied."
    if effect is None:
        return f"{fitted} The logits are divided by it."
    return (
        f"{fitted} The logits are divided by it. On the held-out rows, which were not used to fit "
        f"it, the log-loss changes by {difference(effect.log_loss)}, and the calibration error "
        f"from {effect.error_before:.3f} to {effect.error:.3f}."
    )


def importance_markdown(importance: Importance) -> str:
    """Return a table of permutation importances, the most important feature first."""
    rows = [
        {
            "feature": shown_name(feature.name),
            "log-loss added": interval(feature.log_loss),
            "accuracy lost": interval(feature.accuracy),
        }
        for feature in importance.features[:DRAWN]
    ]
    hidden = len(importance.features) - len(rows)
    lines = [
        table(rows),
        *([f"Not shown: {counted(hidden, 'feature')} of lower importance."] if hidden else []),
        *(
            [
                f"Not permuted: {counted(importance.left_out, 'feature')} that the first layer of "
                f"the network depends on less{_named(importance)}."
            ]
            if importance.left_out
            else []
        ),
        f"Each feature was permuted {counted(importance.repeats, 'time')} among "
        f"{counted(importance.rows, 'held-out row')}; intervals are Student's t over rows. "
        "Correlated features can stand in for each other, so each of them may seem unimportant.",
    ]
    return "\n\n".join(lines)


def _named(importance: Importance) -> str:
    """Return the names of features that were not permuted, after a colon."""
    names = [shown_name(name) for name in importance.unpermuted]
    if not names:
        return ""
    hidden = len(names) - _LEFT_OUT_NAMED
    others = f" and {counted(hidden, 'other')}, which metrics.json names" if hidden > 0 else ""
    return f": {', '.join(names[:_LEFT_OUT_NAMED])}{others}"


def mistakes_markdown(mistakes: tuple[Mistake, ...], importance: Importance) -> str:
    """Return a table of the most confident mistakes, with the cells of the top six features.

    Parameters
    ----------
    mistakes
        The most confident first.
    importance
        Says which features matter most.
    """
    if not mistakes:
        return "No held-out row was misclassified."
    features = [feature.name for feature in importance.features]
    known = [name for name in features if name in mistakes[0].cells][:_CELLS]
    rows = [
        {
            "row": f"{mistake.row:,}",
            "label": shown_name(mistake.label),
            "predicted": shown_name(mistake.predicted),
            "confidence": f"{mistake.confidence:.3f}",
            "probability of the label": f"{mistake.own_probability:.3f}",
            "cells": "; ".join(
                f"{shown_name(name)} "
                f"{escape(middle_cut(mistake.cells[name], _CELL_LETTERS)) or NOTHING}"
                for name in known
            ),
        }
        for mistake in mistakes
    ]
    return (
        f"{table(rows, left=len(rows[0]))}\n\n"
        "The misclassified held-out rows with the highest confidence; row 1 is the first data "
        "record. Wrong labels in the table tend to show up here first."
    )
