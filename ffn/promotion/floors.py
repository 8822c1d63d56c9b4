"""What a model must reach whatever is in production: accuracy, each class's recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.settings.gate_settings import GateSettings

__all__ = ["Floor", "check_floors"]


@dataclass(frozen=True, kw_only=True)
class Floor:
    """One figure and its limit in ``setting``; ``held`` says whether the figure keeps it."""

    what: str
    setting: str
    value: float
    limit: float
    held: bool


def check_floors(settings: GateSettings, evaluation: HeldOutEvaluation) -> tuple[Floor, ...]:
    """Compare a model's held-out figures with the limits that are set.

    The figures themselves count, not the ends of their intervals: a floor is a limit on what
    is seen, and keeping production needs no proof.

    Raises
    ------
    SettingsError
        A floor is set for a class that there is not.
    """
    names = [figures.name for figures in evaluation.classes]
    for name in settings.min_recalls:
        if name not in names:
            raise SettingsError(
                f"gate.min_recalls names {quote(name)}, which is no class; there are: "
                f"{', '.join(map(quote, names[:20]))}.{did_you_mean(name, names)}"
            )
    floors = []
    if settings.min_accuracy:
        accuracy, limit = evaluation.accuracy.value, settings.min_accuracy
        floors.append(_at_least("accuracy", "min_accuracy", accuracy, limit))
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
