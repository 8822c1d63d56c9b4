"""Compare challengers that score beside production with it, on rows whose labels have come.

Hypothesis, for each challenger: on average over these rows it is no more accurate than production.
It is tested at every look. The k-th challenger that the record came to know has ``gate.alpha``
divided by k (k + 1), which add up to it: so that any of them is said to be better although none is
has a probability of at most ``gate.alpha``, however often one looks. Nothing follows by itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ffn.errors import FFNError
from ffn.monitoring.confidence_sequences import favours_first
from ffn.monitoring.paired_labels import more_accurate_sentence, paired_counts
from ffn.monitoring.record.outcome_record import OutcomeRecord, reading_record
from ffn.registry.versions import in_production
from ffn.settings.pipeline import Pipeline
from ffn.shadow.challengers import kept_back

__all__ = ["ChallengerTest", "compare_challengers", "read_challengers"]


@dataclass(frozen=True, kw_only=True)
class ChallengerTest:
    """A paired comparison of a challenger with the version in production.

    Attributes
    ----------
    challenger, production
        Their numbers in the registry.
    rows
        Rows with a label that both scored.
    challenger_alone, production_alone
        Rows that only one of them labels correctly.
    evidence
        E-value against the hypothesis.
    alpha
        Level of this test over all looks.
    """

    challenger: int
    production: int
    rows: int
    challenger_alone: int
    production_alone: int
    evidence: float
    alpha: float

    @property
    def shown(self) -> bool:
        """Whether the challenger is shown to be more accurate."""
        return self.evidence >= 1 / self.alpha

    @property
    def sentence(self) -> str:
        """The comparison, in one sentence without a full stop."""
        pair = f"version {self.challenger}, kept back,", f"version {self.production}"
        if not self.rows:
            return f"{pair[0]} scores beside {pair[1]}; no label has come yet"
        return more_accurate_sentence(
            pair,
            (self.challenger, self.production),
            (self.challenger_alone, self.production_alone),
            rows=self.rows,
            test=f"evidence {self.evidence:.3g}, needed {1 / self.alpha:.3g}; "
            f"alpha {self.alpha:.3g}",
            shown=self.shown,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {**asdict(self), "shown": self.shown, "sentence": self.sentence}


def compare_challengers(
    record: OutcomeRecord, pipeline: Pipeline, production: int, model: int
) -> tuple[ChallengerTest, ...]:
    """Compare every challenger that the record knows with production, in the order it knows them.

    None without ``shadow.versions``.

    Parameters
    ----------
    record
        The record.
    pipeline
        The pipeline.
    production
        Number of the version in production.
    model
        Its number in the record.
    """
    if not pipeline.settings.shadow.count:
        return ()
    candidates = kept_back(pipeline.artifacts, production)
    # Of all versions that came later, so that a challenger's place never changes.
    later = record.connection.execute(
        "SELECT model, version FROM models WHERE version > ? ORDER BY model", (production,)
    ).fetchall()
    newest = {version: code for code, version in later}
    found = []
    for place, (code, version) in enumerate(later, 1):
        if version not in candidates or newest[version] != code:
            continue
        rows, alone, production_alone = paired_counts(record, (code, model))
        found.append(
            ChallengerTest(
                challenger=version,
                production=production,
                rows=rows,
                challenger_alone=alone,
                production_alone=production_alone,
                evidence=favours_first(alone, production_alone),
                alpha=pipeline.settings.gate.alpha / (place * (place + 1)),
            )
        )
    return tuple(found)


def read_challengers(pipeline: Pipeline) -> tuple[ChallengerTest, ...]:
    """Return what `compare_challengers` does for the version in production, if that can be read.

    Nothing that cannot be read is an error here: the verb that changes it says why.

    Parameters
    ----------
    pipeline
        The pipeline.
    """
    if not pipeline.settings.shadow.count:
        return ()
    try:
        scoring = in_production(pipeline.artifacts)
        with reading_record(pipeline.artifacts) as record:
            if scoring is None or record is None:
                return ()
            model = record.find_model(scoring.version, scoring.bundle_sha256)
            if model is None:
                return ()
            return compare_challengers(record, pipeline, scoring.version, model)
    except (FFNError, OSError):
        return ()
