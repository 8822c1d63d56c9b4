"""What is measured of probabilities for rows whose labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

__all__ = ["Figures", "figures_of"]

LEAST_PROBABILITY = 1e-15


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one side on one test part.

    Attributes
    ----------
    log_loss
        Mean over rows of minus the logarithm of the label's probability, in nats; a probability
        below 1e-15 counts as 1e-15.
    accuracy
        Share of rows whose most probable class is the label.
    auc
        Area under the ROC curve, each class against all others, their plain mean.
    """

    log_loss: float
    accuracy: float
    auc: float


def figures_of(
    probabilities: npt.NDArray[Any], classes: Sequence[str], labels: npt.NDArray[Any]
) -> Figures:
    """Return the figures of probabilities [n, C] for labels [n], each one of ``classes``.

    Raises
    ------
    ValueError
        These are no probabilities of so many rows and classes, or a label is no class.
    """
    n, count = len(labels), len(classes)
    if probabilities.shape != (n, count):
        raise ValueError(
            f"probabilities of {probabilities.shape}, but {n} rows and {count} classes"
        )
    if not (np.isfinite(probabilities).all() and (probabilities >= 0).all()):
        raise ValueError("a probability is negative or not finite")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-4):
        raise ValueError("the probabilities of a row do not sum to 1")
    is_label = np.asarray(labels, dtype=str)[:, None] == np.asarray(classes, dtype=str)
    if not (is_label.sum(axis=1) == 1).all():
        raise ValueError("a label is none of the classes")
    of_label = probabilities[is_label]
    return Figures(
        log_loss=float(-np.log(np.clip(of_label, LEAST_PROBABILITY, 1)).mean()),
        accuracy=float(is_label[np.arange(n), probabilities.argmax(axis=1)].mean()),
        auc=float(
            np.mean([roc_auc_score(is_label[:, c], probabilities[:, c]) for c in range(count)])
        ),
    )
