"""The share of rows that are right, with the interval that fits how the rows were drawn."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import grouped_share, weighted_share
from ffn.evaluation.inference.statistics import Interval, wilson

__all__ = ["share_of_rows"]

Array = npt.NDArray[Any]


def share_of_rows(
    right: Array, groups: Array | None, weights: Array | None = None, rows: Array | None = None
) -> Interval:
    """Return the share of rows that are True, with a 95 % interval.

    Parameters
    ----------
    right
        Booleans [n].
    groups
        Identifiers of the rows' groups [n], which are then the unit; None: rows are independent.
    weights
        Weights of the rows [n]; None, the default: they count alike.
    rows
        Booleans [n]: the rows that count; None, the default: all.
    """
    if rows is not None:
        right = right[rows]
        groups, weights = (None if own is None else own[rows] for own in (groups, weights))
    if weights is not None:
        return weighted_share(right, groups, weights)
    if groups is not None:
        return grouped_share(right, groups)
    return wilson(int(right.sum()), len(right))
