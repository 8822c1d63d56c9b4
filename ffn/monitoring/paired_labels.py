"""Rows that two versions labelled before their labels came, and which of the two is better."""

from __future__ import annotations

from ffn.monitoring.record.outcome_record import OutcomeRecord
from ffn.quantities import counted

__all__ = ["more_accurate_sentence", "paired_counts"]


def paired_counts(record: OutcomeRecord, models: tuple[int, int]) -> tuple[int, int, int]:
    """Return the rows of which both have a label, and those that only one labels correctly.

    Parameters
    ----------
    record
        The record.
    models
        Numbers of two models in the record.
    """
    rows, first, second = record.connection.execute(
        "SELECT count(*), "
        "coalesce(sum(a.predicted = a.class AND b.predicted != b.class), 0), "
        "coalesce(sum(a.predicted != a.class AND b.predicted = b.class), 0) "
        "FROM joined AS a JOIN joined AS b ON a.id = b.id WHERE a.model = ? AND b.model = ?",
        models,
    ).fetchone()
    return rows, first, second


def more_accurate_sentence(
    names: tuple[str, str],
    numbers: tuple[int, int],
    alone: tuple[int, int],
    *,
    rows: int,
    test: str,
    shown: bool,
) -> str:
    """Return whether one version is shown to be more accurate than another, in one sentence.

    Parameters
    ----------
    names
        What the two are called, first the one that may be the better.
    numbers
        Their numbers in the registry.
    alone
        Rows that only one of them labels correctly.
    rows
        Rows with a label that both scored.
    test
        Evidence and level, in words.
    shown
        Whether the first is shown to be more accurate.
    """
    what = "is shown to be" if shown else "is not shown to be"
    return (
        f"{names[0]} {what} more accurate than {names[1]}: of {counted(rows, 'row')} whose labels "
        f"have come, {numbers[0]} alone labels {alone[0]:,} correctly and {numbers[1]} alone "
        f"{alone[1]:,} ({test}, valid at every look)"
    )
