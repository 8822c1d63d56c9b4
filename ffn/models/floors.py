"""What a model must reach whatever is in production: accuracy, each class's recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.models.evaluation import Evaluation
from ffn.models.gate_settings import GateSettings

__all__ = ["Floor", "calibration_error", "check_floors"]

Array = npt.NDArray[Any]

_BINS = 15


@dataclass(frozen=True, kw_only=True)
class Floor:
    """One figure and its limit in ``setting``; ``held`` says whether the figure keeps it."""

    what: str
    setting: str
    value: float
    limit: float
    held: bool


def calibration_error(probabilities: Array, labels: Array) -> float:
    """Return the expected calibration error of probabilities [n, C] for labels [n].

    The mean distance between confidence and accuracy over 15 bins of equal width, weighted by
    their rows: Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks",
    equation 3. On few rows it is above zero for a perfectly calibrated model too.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # Bins are open below and closed above, as in the paper.
    bins = np.ceil(confidence * _BINS).astype(int).clip(1, _BINS) - 1
    gaps = np.bincount(bins, right - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def check_floors(
    settings: GateSettings, evaluation: Evaluation, calibration: float
) -> tuple[Floor, ...]:
    """Compare a model's held-out figures with the limits that are set.

    The figures themselves count, not the ends of their intervals: a floor is a limit on what
    is seen, and keeping production needs no proof.

    Parameters
    ----------
    calibration
        Its expected calibration error on the same rows.

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
