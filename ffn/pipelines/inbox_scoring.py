"""Scoring what waits in an inbox without Prefect: one file after another, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ffn.errors import FFNError, OutputError
from ffn.pipelines.blas_threads import one_blas_thread
from ffn.pipelines.outcomes import Refusal, ScoreOutcome
from ffn.pipelines.progress import on_block, stage
from ffn.registry.run_log import running
from ffn.scoring.inbox.inbox_scan import Waiting, score_waiting
from ffn.scoring.inbox.settling import look_when_quiet
from ffn.scoring.model import Model, load
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.storage.run_locks import the_only_pass

__all__ = ["score_all", "score_inbox"]


def score_inbox(pipeline: Pipeline, options: dict[str, object]) -> ScoreOutcome:
    """Score the files of the inbox that the version in production has not scored."""
    with (
        running(pipeline.artifacts, "score") as note,
        the_only_pass(pipeline.artifacts),
        one_blas_thread(),
    ):
        model = load(pipeline.artifacts)
        seen = look_when_quiet(pipeline, model.version, stage)
        stage("scoring")
        results, refusals = score_all(model, pipeline, seen.waiting, options)
        outcome = ScoreOutcome(
            pipeline=pipeline.name,
            version=model.version,
            results=results,
            refusals=refusals,
            inbox=seen,
        )
        if results or refusals:
            note.outcome, note.version, note.text = outcome.note()
            note.drift = outcome.drift_note
    return outcome


def score_all(
    model: Model, pipeline: Pipeline, files: Sequence[Waiting], options: dict[str, Any]
) -> tuple[list[ScoreResult], list[Refusal]]:
    """Score files of the inbox one after another; returns results, and refusals with reasons.

    Raises
    ------
    OutputError
        Outputs cannot be written: all that follow would fail alike.
    """
    results, refusals = [], []
    for file in files:
        try:
            done = score_waiting(model, pipeline, file, on_progress=on_block(file.path), **options)
        except OutputError:
            raise
        except FFNError as error:
            refusals.append(Refusal.of(file.path, error))
        else:
            results += [done] if done else []
    return results, refusals
