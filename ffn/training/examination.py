"""Further analyses of the selected model on held-out rows: baselines, importance, mistakes.

They are recorded and reported. Of their results only the comparison with baselines can have
consequences: the gate may keep a version back for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.evaluation.baselines import Baseline, compare_baselines
from ffn.evaluation.calibration import measure_calibration
from ffn.evaluation.importance import Importance, permutation_importance
from ffn.evaluation.inference.paired_losses import loss_bounds, row_losses
from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.mistakes import Mistake, worst_mistakes
from ffn.nn import Network
from ffn.settings.pipeline import Pipeline
from ffn.slices.row_slices import row_slices
from ffn.slices.slice_search import SliceSearch, search_slices
from ffn.tabular.schema import Schema
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.steps import Prepared, Refitted
from ffn.training.temperature import cool

__all__ = ["Examination", "TemperatureEffect", "examine"]

Array = npt.NDArray[Any]

# Largest number of held-out rows in a comparison with other models.
_MOST_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class TemperatureEffect:
    """Effect of an applied temperature on held-out rows.

    Attributes
    ----------
    log_loss
        Log-loss with the temperature minus without it, nats per row.
    error, error_before
        Expected calibration error with and without it.
    """

    log_loss: Interval
    error: float
    error_before: float


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Analyses on held-out rows that supplement `ffn.evaluation.metrics.HeldOutEvaluation`.

    Attributes
    ----------
    rows
        Number of held-out rows on which baselines and temperature were evaluated.
    baselines
        Comparisons with simpler models, the simplest first.
    importance
        Permutation importance of the features.
    mistakes
        The most confident mistakes.
    temperature
        Effect of the temperature; None if none is applied.
    unfitted
        Baselines that could not be fitted, by name, with the reason.
    slices
        The search for groups of rows that are served worse, on the same ``rows``; None if there was
        none, as in versions of earlier releases.
    """

    rows: int
    baselines: tuple[Baseline, ...]
    importance: Importance
    mistakes: tuple[Mistake, ...]
    temperature: TemperatureEffect | None
    unfitted: dict[str, str] = field(default_factory=dict)
    slices: SliceSearch | None = field(default=None, metadata={"omitted": True})

    @property
    def notices(self) -> tuple[str, ...]:
        """What could not be done, a sentence each without a full stop."""
        return tuple(
            f"{name} could not be fitted, so the network is not compared with it ({reason})"
            for name, reason in self.unfitted.items()
        )


def examine(
    dataset: Dataset,
    division: Division,
    prepared: Prepared,
    refitted: Refitted,
    pipeline: Pipeline,
    *,
    most_rows: int = _MOST_ROWS,
) -> Examination:
    """Compare the model with baselines, permute its features, and find its worst mistakes.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        The two sides of its rows.
    prepared
        Inputs for the network.
    refitted
        The model.
    pipeline
        Settings of the pipeline, whose seed draws the sample.
    most_rows
        Held-out rows on which baselines and temperature are judged: a sample of so many where
        there are more. By default 50,000, on which intervals are narrow already.
    """
    seed = pipeline.settings.training.seed
    bundle, classes = refitted.bundle, prepared.schema.classes
    rows = _draw(prepared.held_out.rows, most_rows, seed)
    x, labels = np.asarray(prepared.x_test[rows]), np.asarray(prepared.labels_test[rows])
    ours = bundle.probabilities(x)
    groups = prepared.held_out.groups
    own = None if groups is None else groups[rows]
    weights = prepared.held_out.weights
    own_weights = None if weights is None else weights[rows]
    baselines, unfitted = compare_baselines(
        ours,
        x,
        labels,
        prepared.x_train,
        prepared.labels_train,
        classes,
        seed,
        alpha=pipeline.settings.gate.alpha,
        groups=own,
        together=groups is not None or division.times is not None,
        told_once=prepared.preparation.inputs_told_once(),
        weights_test=own_weights,
        weights_train=prepared.training.weights,
    )
    return Examination(
        rows=len(rows),
        baselines=baselines,
        importance=permutation_importance(
            bundle, prepared.x_test, prepared.labels_test, seed, groups=groups, weights=weights
        ),
        mistakes=worst_mistakes(bundle, dataset, division.held_out),
        temperature=_effect(refitted, ours, x, labels, seed, own, own_weights),
        unfitted=unfitted,
        slices=search_slices(
            row_slices(
                prepared.schema,
                prepared.reference,
                *_typed(dataset, prepared.schema, np.flatnonzero(division.held_out)[rows]),
            ),
            bundle.rule.labels(ours),
            labels,
            row_losses(ours, labels),
            row_losses(ours, ours.argmin(axis=1)),
            classes,
            groups=own,
            weights=own_weights,
        ),
    )


def _typed(dataset: Dataset, schema: Schema, rows: Array) -> tuple[Array, Array]:
    """Return numbers [m, F] and category codes [m, G] of the rows with these numbers, ascending."""
    numeric = np.empty((len(rows), len(schema.numeric)))
    codes = np.empty((len(rows), len(schema.categorical)), dtype=np.int64)
    for piece, numbers, own in dataset.pieces(schema):
        first, last = np.searchsorted(rows, (piece.start, piece.stop))
        numeric[first:last] = numbers[rows[first:last] - piece.start]
        codes[first:last] = own[rows[first:last] - piece.start]
    return numeric, codes


def _draw(n: int, most: int, seed: int) -> Array:
    """Return row numbers, ascending: all ``n``, or ``most`` of them."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _effect(
    refitted: Refitted,
    ours: Array,
    x: Array,
    labels: Array,
    seed: int,
    groups: Array | None,
    weights: Array | None,
) -> TemperatureEffect | None:
    """Compare the model with and without its temperature; None if it has none."""
    temperature = refitted.temperature
    if temperature is None or not temperature.applied:
        return None
    before = _without(refitted.bundle, temperature.value, x)
    losses = loss_bounds(
        row_losses(ours, labels), row_losses(before, labels), 0.025, seed, groups, weights
    )
    return TemperatureEffect(
        log_loss=Interval(losses.value, float(losses.low), float(losses.high)),
        error=measure_calibration(ours, labels, seed, groups, weights).error,
        error_before=measure_calibration(before, labels, seed, groups, weights).error,
    )


def _without(bundle: Bundle, temperature: float, x: Array) -> Array:
    """Return the probabilities [n, C] of the model without its temperature."""
    network = Network(bundle.network.widths, bundle.network.parameters.astype(np.float64))
    cool(network, 1 / temperature)
    probabilities: Array = network.predict_proba(x)[0]
    return probabilities
