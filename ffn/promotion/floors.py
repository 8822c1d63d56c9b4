"""Absolute limits on held-out metrics that every promoted model has to meet."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.settings.gate_settings import GateSettings

__all__ = ["Floor", "check_floors"]


@dataclass(frozen=True, kw_only=True)
class Floor:
    """One metric with its limit.

    Attributes
    ----------
    what
        Name of the metric, for messages.
    setting
        Key of ``[gate]`` that sets the limit.
    value, limit
        The held-out value, and what it has to reach (or not to exceed).
    held
        Whether the value meets the limit.
    """

    what: str
    setting: str
    value: float
    limit: float
    held: bool


def check_floors(settings: GateSettings, evaluation: HeldOutEvaluation) -> tuple[Floor, ...]:
    """Compare a model's held-out metrics with the limits in the settings.

    The point estimates are compared, not the ends of their intervals: a floor limits what was
    measured, and keeping production in place needs no proof.

    Parameters
    ----------
    settings
        Limits under ``[gate]``; those that are not set are skipped.
    evaluation
        Held-out metrics of the new model.

    Raises
    ------
    SettingsError
        A limit is set for a class that does not exist.
    """
    names = [figures.name for figures in evaluation.classes]
    for name in settings.min_recalls:
        if name not in names:
            raise SettingsError(
                f"gate.min_recalls names {quote(name)}, which is not a class; the classes are: "
                f"{', '.join(map(quote, names[:20]))}.{did_you_mean(name, names)}"
            )
    floors = []
    if settings.min_accuracy:
        accuracy, limit = evaluation.accuracy.value, settings.min_accuracy
        floors.append(_at_least("accuracy", "min_accuracy", accuracy, limit))
    of = f" of {quote(evaluation.positive)}" if evaluation.positive else ""
    for what, setting, figure, limit in (
        (
            "balanced accuracy",
            "min_balanced_accuracy",
            evaluation.balanced_accuracy,
            settings.min_balanced_accuracy,
        ),
        ("ROC-AUC", "min_auc", evaluation.auc, settings.min_auc),
        (
            f"average precision{of}",
            "min_average_precision",
            evaluation.average_precision,
            settings.min_average_precision,
        ),
    ):
        if limit:
            floors.append(_at_least(what, setting, figure.value, limit))
    for figures in evaluation.classes:
        setting = "min_recalls" if figures.name in settings.min_recalls else "min_recall"
        limit = settings.min_recalls.get(figures.name, settings.min_recall)
        if limit:
            what = f"recall of {quote(figures.name)}"
            floors.append(_at_least(what, setting, figures.recall.value, limit))
    limit = settings.max_calibration_error
    if limit < 1:
        calibration = evaluation.calibration.error
        floors.append(
            Floor(
                what="calibration error",
                setting="max_calibration_error",
                value=calibration,
                limit=limit,
                held=calibration <= limit,
            )
        )
    return tuple(floors)


def _at_least(what: str, setting: str, value: float, limit: float) -> Floor:
    return Floor(what=what, setting=setting, value=value, limit=limit, held=value >= limit)
