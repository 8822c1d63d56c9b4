"""Paired tests of recall by class on rows that come in groups, or are weighted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.grouped_labels import count_grouped_labels, sign_flip_p
from ffn.evaluation.inference.paired import ClassLoss, count_labels
from ffn.evaluation.inference.statistics import holm

__all__ = ["grouped_class_losses"]

Array = npt.NDArray[Any]


def grouped_class_losses(
    challenger: Array,
    production: Array,
    labels: Array,
    classes: tuple[str, ...],
    groups: Array | None,
    weights: Array | None = None,
) -> tuple[ClassLoss, ...]:
    """Test each class for lower recall: one-sided tests by sign flips, adjusted by Holm.

    Where rows are weighted, the test is that of `GroupedLabels` for weighted accuracy.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n].
    labels
        True classes, integers [n].
    classes
        Names of the classes [C].
    groups, weights
        As for `count_grouped_labels`.
    """
    counts, p_values = [], []
    drops: list[float | None] = []
    for own in (labels == c for c in range(len(classes))):
        counts.append(count_labels(challenger[own], production[own], labels[own]))
        if weights is None and groups is not None:
            net = (challenger[own] == labels[own]).astype(float) - (production[own] == labels[own])
            _, place = np.unique(groups[own], return_inverse=True)
            sums = np.bincount(place, net) if len(net) else np.zeros(0)
            p_values.append(sign_flip_p(-sums.round().astype(np.int64)))
            drops.append(None)
        elif own.any():
            # What production gains on the challenger.
            reverse = count_grouped_labels(
                production[own],
                challenger[own],
                labels[own],
                None if groups is None else groups[own],
                None if weights is None else weights[own],
            )
            p_values.append(reverse.p_better)
            drops.append(reverse.difference)
        else:
            p_values.append(1.0)
            drops.append(0.0)
    return tuple(
        ClassLoss(
            name=name,
            rows=one.rows,
            gained=one.gained,
            lost=one.lost,
            p_worse=p,
            weighted_drop=drop,
        )
        for name, one, p, drop in zip(classes, counts, holm(p_values), drops, strict=True)
    )
