"""What the split audit found, as ``verdict.json`` records it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ffn.auditing.optimism import Optimism
from ffn.evaluation.inference.statistics import Interval

__all__ = ["ColumnAudit", "SplitAudit"]


@dataclass(frozen=True, kw_only=True)
class ColumnAudit:
    """What the figures owe to rows that share a column's values, or that are as recent.

    Attributes
    ----------
    column, kind, values
        The column, ``group`` or ``time``, and its number of different values in training.
    feature
        Whether it is a plain category of the model, for which nothing is refused.
    rows
        Training rows that both splits judged.
    accuracy, log_loss
        By how much each is too good, per row: loss of accuracy and nats gained when kept apart.
    expected_accuracy, expected_log_loss
        The figures of the recipe's networks where values are kept apart, with 95 % intervals.
    matters
        Whether one of them is shown to be more than the gate's margin.
    """

    column: str
    kind: Literal["group", "time"]
    values: int
    feature: bool
    rows: int
    accuracy: Optimism
    log_loss: Optimism
    expected_accuracy: Interval
    expected_log_loss: Interval
    matters: bool


@dataclass(frozen=True, kw_only=True)
class SplitAudit:
    """The audit of all columns.

    Attributes
    ----------
    policy
        ``split.audit``: what follows if the figures are shown to be too good.
    alpha
        One-sided level of each bound: the gate's, divided by two figures of each column.
    accuracy_margin, log_loss_margin
        The gate's.
    networks
        Networks of each split.
    columns
        The audited columns.
    left_out
        Columns that could not be audited, by name, with the reason.
    decided
        Whether the model has a decision rule, whose labels accuracy is of. Audits of earlier
        releases took the most probable class all the same.
    """

    policy: Literal["refuse", "warn", "ignore"]
    alpha: float
    accuracy_margin: float
    log_loss_margin: float
    networks: int
    columns: tuple[ColumnAudit, ...]
    left_out: dict[str, str]
    decided: bool = field(default=False, metadata={"omitted": True})
