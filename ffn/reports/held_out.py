"""What held-out rows say of a model, in Markdown: figures, classes, calibration, features."""

from __future__ import annotations

import math

from ffn.evaluation.calibration import Calibration
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
    "loss_doubt",
    "mistakes_markdown",
    "shown_name",
    "temperature_markdown",
]

# Longer names would push the figures off the screen.
_NAME_LETTERS = 60
_CELL_LETTERS = 24
_CELLS = 6


def shown_name(name: str) -> str:
    """Return a class's or feature's name, cut and as text."""
    return escape(middle_cut(name, _NAME_LETTERS))


def figure_table(evaluation: HeldOutEvaluation) -> str:
    """Return the figures of all classes together, each with its interval and its meaning."""
    calibration = evaluation.calibration
    error, limit = both_told_apart(calibration.error, calibration.limit, 3)
    figures = [
        ("accuracy", interval(evaluation.accuracy), "share of rows with the right label; Wilson"),
        ("macro-F1", interval(evaluation.macro_f1), "mean F1 of the classes, each counting alike"),
        ("log-loss", interval(evaluation.log_loss), "nats a row; bootstrap, so approximate"),
        ("Brier score", interval(evaluation.brier), "squared error of the probabilities, 0 to 2"),
        (
            "calibration error",
            error,
            f"expected calibration error; by chance alone {calibration.expected:.3f}, above "
            f"{limit} once in twenty times",
        ),
    ]
    rows = table([{"figure": a, "value": b, "what it is": c} for a, b, c in figures], left=3)
    return "\n\n".join(filter(None, (rows, loss_doubt(evaluation))))


def loss_doubt(evaluation: HeldOutEvaluation) -> str:
    """Return why the log-loss has no interval, in a sentence; empty if it has one."""
    if math.isfinite(evaluation.log_loss.high):
        return ""
    if evaluation.rows == 1:
        return "One row says nothing of how much the log-loss varies, so it has no interval."
    return (
        "The log-loss is the same for every one of these rows, which says nothing of how much it "
        "varies, so it has no interval."
    )


def class_table(evaluation: HeldOutEvaluation) -> str:
    """Return recall and precision of each class."""
    rows = [
        {
            "class": shown_name(figures.name),
            "rows": f"{figures.rows:,}",
            "recall": interval(figures.recall),
            "precision": interval(figures.precision),
        }
        for figures in evaluation.classes
    ]
    return table(rows)


def calibration_markdown(calibration: Calibration) -> str:
    """Say whether the model is as certain as it is right."""
    error, limit = both_told_apart(calibration.error, calibration.limit, 3)
    found = (
        "More than chance explains: **its confidences are not those of a calibrated model.**"
        if calibration.shown_wrong
        else "That is no more than chance makes of it: nothing is shown to be wrong with the "
        "confidences."
    )
    return (
        f"Confidence and accuracy are {error} apart on average, over 15 bins of "
        "equal width weighted by their rows (expected calibration error, Guo and others 2017). "
        f"A perfectly calibrated model with these confidences would have "
        f"{calibration.expected:.3f} on average, and more than {limit} once in "
        f"twenty times, on as few rows as these. {found}"
    )


def temperature_markdown(
    temperature: Temperature | None, effect: TemperatureEffect | None = None
) -> str:
    """Say what temperature the winner's validation rows ask for, and whether the model has it."""
    if temperature is None:
        return "No temperature was fitted: the probabilities of an ensemble are an average."
    fitted = (
        f"A temperature of {temperature.value:.3f} fits best what the winner's networks said of "
        f"{counted(temperature.rows, 'validation row')} (rows count once for each network); rows "
        f"judged with the temperature of other rows change their log-loss by "
        f"{difference(temperature.change)}."
    )
    if not temperature.applied:
        found = "shown to do harm" if temperature.change.low > 0 else "not shown to help"
        return f"{fitted} That is {found}, so the scores are left as they are."
    if effect is None:
        return f"{fitted} The scores are divided by it."
    return (
        f"{fitted} The scores are divided by it. On the held-out rows, which were not asked, "
        f"log-loss changes by {difference(effect.log_loss)}, and the calibration error from "
        f"{effect.error_before:.3f} to {effect.error:.3f}."
    )


def importance_markdown(importance: Importance) -> str:
    """Return the features in a table, the most important first."""
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
        *([f"Not shown: {counted(hidden, 'feature')} of smaller worth."] if hidden else []),
        *(
            [
                f"Not looked at: {counted(importance.left_out, 'feature')} with smaller weights in "
                "the first layer."
            ]
            if importance.left_out
            else []
        ),
        f"Each feature was permuted {counted(importance.repeats, 'time')} among "
        f"{counted(importance.rows, 'held-out row')}; intervals are Student's over rows. "
        "Features that say the same stand in for each other, and then each seems worth little.",
    ]
    return "\n\n".join(lines)


def mistakes_markdown(mistakes: tuple[Mistake, ...], importance: Importance) -> str:
    """Return the most certain mistakes with the cells of the features that matter most."""
    if not mistakes:
        return "No mistake."
    features = [feature.name for feature in importance.features]
    known = [name for name in features if name in mistakes[0].cells][:_CELLS]
    rows = [
        {
            "row": f"{mistake.row:,}",
            "is": shown_name(mistake.label),
            "called": shown_name(mistake.predicted),
            "confidence": f"{mistake.confidence:.3f}",
            "its label had": f"{mistake.own_probability:.3f}",
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
        "The held-out rows that it was most wrongly certain of; row 1 is the first data record. "
        "A wrong label in the table shows here first."
    )
