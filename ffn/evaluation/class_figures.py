"""Held-out figures of single classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ffn.evaluation.inference.statistics import NO_FIGURE, Interval

__all__ = ["ClassFigures", "share_of_class"]


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """Figures of one class, with 95 % intervals.

    Attributes
    ----------
    name
        Name of the class.
    rows
        Number of its held-out rows.
    recall
        Share of its rows that are predicted as it; NaN if it has none. Wilson's interval.
    precision
        Share of the rows predicted as it that belong to it; NaN if there are none.
    auc, average_precision
        How well its probability ranks its rows above all others (`rank_rows`); NaN if there are
        none of either, and in records of versions from before these figures existed.
    weighted_share
        Its share of all weights, if rows are weighted; otherwise None.
    """

    name: str
    rows: int
    recall: Interval
    precision: Interval
    auc: Interval = NO_FIGURE
    average_precision: Interval = NO_FIGURE
    weighted_share: float | None = field(default=None, metadata={"omitted": True})


def share_of_class(classes: Sequence[ClassFigures], name: str) -> float:
    """Return the share of a class in the held-out rows, or in their weights; NaN without rows.

    Parameters
    ----------
    classes
        Figures of all classes.
    name
        Name of the class.
    """
    own = next((one for one in classes if one.name == name), None)
    rows = sum(one.rows for one in classes)
    if own is None or not rows:
        return float("nan")
    return own.rows / rows if own.weighted_share is None else own.weighted_share
