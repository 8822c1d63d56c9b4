"""Compare a version with its predecessor on rows whose labels have come, and roll it back.

Both scored the same rows before their labels came: the predecessor beside production. Hypothesis:
on average over these rows the predecessor is no more accurate. It is tested at every look at the
level of the gate, ``gate.alpha``, for each pair of versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from ffn.monitoring.confidence_sequences import favours_first
from ffn.monitoring.record.outcome_record import OutcomeRecord
from ffn.quantities import counted

__all__ = ["PredecessorTest", "compare_with_predecessor", "paired_counts"]


@dataclass(frozen=True, kw_only=True)
class PredecessorTest:
    """A paired comparison of a version with its predecessor.

    Attributes
    ----------
    version, predecessor
        Their numbers in the registry.
    rows
        Rows with a label that both scored.
    version_alone, predecessor_alone
        Rows that only one of them labels correctly.
    evidence
        E-value against the hypothesis.
    alpha
        Level of the test over all looks.
    """

    version: int
    predecessor: int
    rows: int
    version_alone: int
    predecessor_alone: int
    evidence: float
    alpha: float

    @property
    def shown(self) -> bool:
        """Whether the predecessor is shown to be more accurate."""
        return self.evidence >= 1 / self.alpha

    @property
    def sentence(self) -> str:
        """The comparison, in one sentence without a full stop."""
        what = "is shown to be" if self.shown else "is not shown to be"
        return (
            f"version {self.predecessor} {what} more accurate than version {self.version}: of "
            f"{counted(self.rows, 'row')} whose labels have come, {self.predecessor} alone labels "
            f"{self.predecessor_alone:,} correctly and {self.version} alone "
            f"{self.version_alone:,} (evidence {self.evidence:.3g}, needed "
            f"{1 / self.alpha:.3g}; alpha {self.alpha:g}, valid at every look)"
        )


def compare_with_predecessor(
    record: OutcomeRecord, version: int, predecessor: int, models: tuple[int, int], alpha: float
) -> PredecessorTest:
    """Compare two versions on the rows that both scored before their labels came.

    Parameters
    ----------
    record
        The record.
    version, predecessor
        Their numbers in the registry.
    models
        Their numbers in the record, in this order.
    alpha
        Level of the test over all looks.
    """
    rows, first, second = paired_counts(record, models)
    return PredecessorTest(
        version=version,
        predecessor=predecessor,
        rows=rows,
        version_alone=first,
        predecessor_alone=second,
        evidence=favours_first(second, first),
        alpha=alpha,
    )


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
