"""Calibrate the label sets of a finished model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.decision_rules.label_sets import set_limits
from ffn.decision_rules.rule_choice import ChosenRule
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.steps import Refitted

__all__ = ["calibrate_sets"]

Array = npt.NDArray[Any]


def calibrate_sets(
    refitted: Refitted, dataset: Dataset, division: Division, pipeline: Pipeline
) -> Refitted:
    """Return the model with label sets, calibrated on the rows that were set aside for it.

    Parameters
    ----------
    refitted
        The model, finished: whatever changes its probabilities later would undo the guarantee.
    dataset
        The training table, N rows.
    division
        Its rows, with those for calibration; without any, the model is returned as it is.
    pipeline
        Settings with the coverage and the seed.
    """
    coverage, aside = pipeline.settings.decision.label_sets, division.calibration
    if coverage is None or aside is None:
        return refitted
    probabilities = _probabilities(refitted.bundle, dataset, aside)
    labels = dataset.labels[aside]
    groups = None if division.groups is None else division.groups[aside]
    if groups is not None:
        # One row of each group is used; which one must not depend on the table's order.
        order = np.random.default_rng(pipeline.settings.training.seed).permutation(len(labels))
        probabilities, labels, groups = probabilities[order], labels[order], groups[order]
    limits = set_limits(probabilities, labels, coverage, groups)
    rule = replace(refitted.bundle.rule, set_limits=limits)
    chosen = refitted.decision or ChosenRule(rule=rule, source="argmax")
    return replace(
        refitted,
        bundle=replace(refitted.bundle, rule=rule),
        decision=replace(
            chosen, rule=rule, coverage=coverage, calibration_rows=int(np.count_nonzero(aside))
        ),
    )


def _probabilities(bundle: Bundle, dataset: Dataset, rows: Array) -> Array:
    """Return probabilities [n, C] of ``rows``, booleans [N]."""
    return np.concatenate(
        [
            bundle.probabilities(
                bundle.preparation.transform(numeric[rows[part]], codes[rows[part]])
            )
            for part, numeric, codes in dataset.pieces(bundle.schema)
        ]
    )
