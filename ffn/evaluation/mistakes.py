"""The model's most confident mistakes on held-out rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["Mistake", "worst_mistakes"]

Array = npt.NDArray[Any]

_SHOWN = 10
_MOST_CELLS = 50
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A misclassified held-out row.

    Attributes
    ----------
    row
        Number of the row in the training CSV; 1 is the first data record.
    label, predicted
        True and predicted class.
    confidence
        Probability of the predicted class.
    own_probability
        Probability of the true class.
    cells
        Cell texts of the first 50 features by name; numbers as they were parsed.
    """

    row: int
    label: str
    predicted: str
    confidence: float
    own_probability: float
    cells: Mapping[str, str]


def worst_mistakes(
    bundle: Bundle, dataset: Dataset, held_out: Array, *, rows_at_once: int = _ROWS_AT_ONCE
) -> tuple[Mistake, ...]:
    """Return the ten mistakes of the highest confidence, the worst first.

    Parameters
    ----------
    bundle
        The model.
    dataset, held_out
        The table, and booleans [N].
    rows_at_once
        Rows whose inputs are in memory together.
    """
    worst: list[tuple[float, int, int, float]] = []
    labels = dataset.labels
    for rows, numeric, codes in dataset.pieces(bundle.schema):
        tested = np.flatnonzero(held_out[rows])
        for start in range(0, len(tested), rows_at_once):
            some = tested[start : start + rows_at_once]
            x = bundle.preparation.transform(numeric[some], codes[some])
            worst = sorted(worst + _mistakes(bundle, x, labels[rows][some], rows.start + some))
            del worst[_SHOWN:]
    return tuple(
        Mistake(
            row=dataset.row_in_file(int(row)),
            label=dataset.classes[labels[row]],
            predicted=dataset.classes[predicted],
            confidence=-negative,
            own_probability=own,
            cells=dict(itertools.islice(dataset.cells(row).items(), _MOST_CELLS)),
        )
        for negative, row, predicted, own in worst
    )


def _mistakes(
    bundle: Bundle, x: Array, labels: Array, rows: Array
) -> list[tuple[float, int, int, float]]:
    """Return the ten worst as minus the confidence, row, prediction, probability of the label."""
    probabilities = bundle.probabilities(x)
    predicted = bundle.rule.labels(probabilities)
    confidence = bundle.rule.confidences(probabilities, predicted)
    wrong = np.flatnonzero(predicted != labels)
    kept = wrong[np.argsort(-confidence[wrong], kind="stable")[:_SHOWN]]
    return [
        (-float(confidence[i]), int(rows[i]), int(predicted[i]), float(probabilities[i, labels[i]]))
        for i in kept
    ]
