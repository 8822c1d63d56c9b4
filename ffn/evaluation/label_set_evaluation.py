"""How often label sets hold the true class, on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import grouped_share
from ffn.evaluation.inference.statistics import Interval, wilson

__all__ = ["LabelSetEvaluation", "evaluate_label_sets"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class LabelSetEvaluation:
    """Label sets on held-out rows, with 95 % intervals.

    Attributes
    ----------
    coverage
        Share of rows whose set holds their class.
    of_classes
        The same by class; NaN for a class without rows.
    single
        Share of rows whose set has one label only.
    mean_size
        Labels in a set, on average.
    """

    coverage: Interval
    of_classes: tuple[Interval, ...]
    single: Interval
    mean_size: float


def evaluate_label_sets(
    members: Array, labels: Array, groups: Array | None = None
) -> LabelSetEvaluation:
    """Return how often the sets hold the true class, and how large they are.

    Parameters
    ----------
    members
        Booleans [n, C]: the classes in each row's set.
    labels
        True classes, integers [n], n > 0.
    groups
        Identifiers of the rows' groups [n], which are then the unit of the intervals; None, the
        default: rows are independent.
    """

    def share(true: Array, rows: Array) -> Interval:
        if groups is None:
            return wilson(int(true[rows].sum()), int(rows.sum()))
        return grouped_share(true[rows], groups[rows])

    held, sizes = members[np.arange(len(labels)), labels], members.sum(axis=1)
    every = np.ones(len(labels), dtype=bool)
    return LabelSetEvaluation(
        coverage=share(held, every),
        of_classes=tuple(share(held, labels == c) for c in range(members.shape[1])),
        single=share(sizes == 1, every),
        mean_size=float(sizes.mean()),
    )
