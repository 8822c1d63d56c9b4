"""Compare a version with its predecessor on rows whose labels have come, and roll it back.

Both scored the same rows before their labels came: the predecessor beside production. Hypothesis:
on average over these rows the predecessor is no more accurate. It is tested at every look at the
level of the gate, ``gate.alpha``, for each pair of versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from ffn.monitoring.confidence_sequences import favours_first
from ffn.monitoring.paired_labels import more_accurate_sentence, paired_counts
from ffn.monitoring.record.outcome_record import OutcomeRecord

__all__ = ["PredecessorTest", "compare_with_predecessor"]


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
        return more_accurate_sentence(
            (f"version {self.predecessor}", f"version {self.version}"),
            (self.predecessor, self.version),
            (self.predecessor_alone, self.version_alone),
            rows=self.rows,
            test=f"evidence {self.evidence:.3g}, needed {1 / self.alpha:.3g}; alpha {self.alpha:g}",
            shown=self.shown,
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
