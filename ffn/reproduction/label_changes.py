"""Held-out rows to which two bundles give different labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.promotion.shared_rows import accepts
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["LabelChange", "label_changes"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class LabelChange:
    """How many held-out rows that both bundles can score get another label.

    Attributes
    ----------
    rows
        Held-out rows that both can score.
    changed
        Those to which they give different labels.
    """

    rows: int
    changed: int


def label_changes(
    dataset: Dataset, held_out: Array, recorded: Bundle, made: Bundle
) -> LabelChange | None:
    """Count the held-out rows that get another label; None if a bundle needs other columns.

    Parameters
    ----------
    dataset
        The training table, N rows.
    held_out
        Booleans [N]: rows held out of the bundle that was made again.
    recorded, made
        The two bundles.
    """
    known = {*dataset.numeric_features, *dataset.categorical_features}
    needed = {feature.name for bundle in (recorded, made) for feature in bundle.schema.features}
    if not needed <= known:
        return None
    rows = held_out & accepts(dataset, recorded) & accepts(dataset, made)
    changed = _labels(dataset, rows, recorded) != _labels(dataset, rows, made)
    return LabelChange(rows=int(rows.sum()), changed=int(changed.sum()))


def _labels(dataset: Dataset, rows: Array, bundle: Bundle) -> Array:
    classes = np.array(bundle.schema.classes)
    found = [
        bundle.rule.labels(
            bundle.probabilities(
                bundle.preparation.transform(numeric[rows[part]], codes[rows[part]])
            )
        )
        for part, numeric, codes in dataset.pieces(bundle.schema)
    ]
    labels: Array = classes[np.concatenate(found)]
    return labels
