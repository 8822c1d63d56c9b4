"""What else held-out rows say of the chosen model: beside simpler ones, by feature, row by row.

Nothing is chosen by what is found here. It is recorded, and told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.evaluation.baselines import Baseline, compare_baselines
from ffn.evaluation.calibration import measure_calibration
from ffn.evaluation.importance import Importance, permutation_importance
from ffn.evaluation.mistakes import Mistake, worst_mistakes
from ffn.evaluation.paired import loss_bounds, row_losses
from ffn.evaluation.statistics import Interval
from ffn.nn import Network
from ffn.settings.pipeline import Pipeline
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.steps import Prepared, Refitted
from ffn.training.temperature import cool

__all__ = ["Examination", "TemperatureEffect", "examine"]

Array = npt.NDArray[Any]

# Held-out rows of a comparison with other models, at most.
_MOST_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class TemperatureEffect:
    """What an applied temperature did on held-out rows: with it minus without, and errors."""

    log_loss: Interval
    error: float
    error_before: float


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Findings on held-out rows beside the figures of ``Evaluation``.

    Attributes
    ----------
    rows
        Held-out rows that the baselines and the temperature were judged on.
    baselines
        Simpler models, the simplest first.
    importance
        What each feature is worth to the model.
    mistakes
        The most certain ones.
    temperature
        What the temperature changed; None if there is none.
    """

    rows: int
    baselines: tuple[Baseline, ...]
    importance: Importance
    mistakes: tuple[Mistake, ...]
    temperature: TemperatureEffect | None


def examine(
    dataset: Dataset,
    held_out: Array,
    prepared: Prepared,
    refitted: Refitted,
    pipeline: Pipeline,
    *,
    most_rows: int = _MOST_ROWS,
) -> Examination:
    """Compare the model with baselines, permute its features, and find its worst mistakes.

    Parameters
    ----------
    dataset, held_out, prepared
        The table, booleans [N] of the rows held out, and the inputs.
    refitted
        The model.
    most_rows
        Held-out rows on which baselines and temperature are judged: a sample of so many where
        there are more. By default 50,000, on which intervals are narrow already.
    """
    seed = pipeline.settings.training.seed
    bundle, classes = refitted.bundle, prepared.schema.classes
    rows = _draw(prepared.held_out.rows, most_rows, seed)
    x, labels = np.asarray(prepared.x_test[rows]), np.asarray(prepared.labels_test[rows])
    ours = bundle.probabilities(x)
    return Examination(
        rows=len(rows),
        baselines=compare_baselines(
            ours, x, labels, prepared.x_train, prepared.labels_train, classes, seed
        ),
        importance=permutation_importance(bundle, prepared.x_test, prepared.labels_test, seed),
        mistakes=worst_mistakes(bundle, dataset, held_out),
        temperature=_effect(refitted, ours, x, labels, seed),
    )


def _draw(n: int, most: int, seed: int) -> Array:
    """Return row numbers, ascending: all ``n``, or ``most`` of them."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _effect(
    refitted: Refitted, ours: Array, x: Array, labels: Array, seed: int
) -> TemperatureEffect | None:
    """Compare the model with what it was before its temperature."""
    temperature = refitted.temperature
    if temperature is None or not temperature.applied:
        return None
    before = _without(refitted.bundle, temperature.value, x)
    losses = loss_bounds(row_losses(ours, labels), row_losses(before, labels), 0.025, seed)
    return TemperatureEffect(
        log_loss=Interval(losses.value, float(losses.low), float(losses.high)),
        error=measure_calibration(ours, labels, seed).error,
        error_before=measure_calibration(before, labels, seed).error,
    )


def _without(bundle: Bundle, temperature: float, x: Array) -> Array:
    """Return probabilities [n, C] as the network was trained."""
    network = Network(bundle.network.widths, bundle.network.parameters.astype(np.float64))
    cool(network, 1 / temperature)
    probabilities: Array = network.predict_proba(x)[0]
    return probabilities
