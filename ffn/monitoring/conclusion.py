"""What follows from the labels so far: an alert, and a rollback where the settings ask for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ffn.errors import one_line
from ffn.monitoring.challenger_tests import ChallengerTest, compare_challengers
from ffn.monitoring.realised_quality import RealisedQuality, read_quality
from ffn.monitoring.record.outcome_record import OutcomeRecord, changing_record, reading_record
from ffn.monitoring.rolling_back import PredecessorTest, compare_with_predecessor
from ffn.registry.pointer import predecessor, rollback
from ffn.registry.versions import in_production, production_version
from ffn.settings.pipeline import Pipeline

__all__ = ["Conclusion", "conclude", "rollback_target"]

_LONGEST_REASON = 1_000


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What follows from all labels so far.

    Attributes
    ----------
    qualities
        Realised quality of every version that scored.
    production
        Number of the version in production, after a rollback if there was one.
    alert
        That the version in production is shown to be below what was promised; empty if it is not.
    is_new
        Whether the alert is told for the first time.
    predecessor
        Comparison with the version before; None unless ``outcomes.rollback`` asks for it.
    rolled_back
        That the version was rolled back, and why; empty if it was not.
    challengers
        Comparisons of production with versions that score beside it.
    """

    qualities: tuple[RealisedQuality, ...]
    production: int | None
    alert: str = ""
    is_new: bool = False
    predecessor: PredecessorTest | None = None
    rolled_back: str = ""
    challengers: tuple[ChallengerTest, ...] = ()


def rollback_target(pipeline: Pipeline) -> int | None:
    """Return the version that a rollback would return to, if ``pipeline`` asks for rollbacks."""
    if not pipeline.settings.outcomes.rollback:
        return None
    return predecessor(pipeline.artifacts)


def conclude(pipeline: Pipeline) -> Conclusion:
    """Return what follows from all labels so far; roll back if that is shown and asked for.

    Parameters
    ----------
    pipeline
        The pipeline.
    """
    artifacts, settings = pipeline.artifacts, pipeline.settings
    scoring = in_production(artifacts)
    with reading_record(artifacts) as record:
        if record is None:
            return Conclusion(qualities=(), production=scoring.version if scoring else None)
        qualities = tuple(read_quality(record, artifacts, settings.outcomes.alpha))
    if scoring is None:
        return Conclusion(qualities=qualities, production=None)
    now = next((one for one in qualities if one.version == scoring.version), None)
    alert, is_new, test, undone = "", False, None, ""
    challengers: tuple[ChallengerTest, ...] = ()
    if now and now.shortfall and now.shortfall.shown:
        alert = f"version {scoring.version}: {now.shortfall.sentence}"
    before = rollback_target(pipeline)
    with changing_record(artifacts) as record:
        model = record.find_model(scoring.version, scoring.bundle_sha256)
        if model is not None:
            if alert:
                is_new = record.note_once(model, "alert", time.time(), alert)
            challengers = compare_challengers(record, pipeline, scoring.version, model)
            if before is not None:
                test = _beside(record, scoring.version, model, before, settings.gate.alpha)
            # Once: whoever promotes the version again by hand knows more.
            if test and test.shown and record.note_once(model, "rollback", time.time(), ""):
                undone = test.sentence
    if undone:
        # It needs scikit-learn, which takes a second to load, and nearly no run rolls back.
        from ffn.scoring.export import export_production

        entry = rollback(artifacts, reason=one_line(undone)[:_LONGEST_REASON])
        export_production(pipeline)
        undone = f"rolled back to version {entry.version}: {undone}"
    return Conclusion(
        qualities=qualities,
        production=production_version(artifacts),
        alert=alert,
        is_new=is_new,
        predecessor=test,
        rolled_back=undone,
        challengers=challengers,
    )


def _beside(
    record: OutcomeRecord, version: int, model: int, before: int, alpha: float
) -> PredecessorTest | None:
    row = record.connection.execute(
        "SELECT max(model) FROM models WHERE version = ?", (before,)
    ).fetchone()
    if row[0] is None:
        return None
    return compare_with_predecessor(record, version, before, (model, row[0]), alpha)
