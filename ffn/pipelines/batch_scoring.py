"""Scoring without Prefect: one file after another, in this process, no server.

Apart from retraining, which imports ten times as much: ten rows are scored within a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ffn.errors import FFNError
from ffn.pipelines.blas_threads import one_blas_thread
from ffn.pipelines.outcomes import Refusal, ScoreOutcome
from ffn.pipelines.progress import on_block, stage
from ffn.registry.run_log import running
from ffn.scoring.model import Model, load
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline

__all__ = ["score"]


def score(
    pipeline: Pipeline, files: Sequence[tuple[Path, Path]], options: dict[str, object]
) -> ScoreOutcome:
    """Score each (input, output) with the version in production."""
    with running(pipeline.artifacts, "score") as note:
        outcome = _score(pipeline, files, options)
        note.outcome, note.version, note.text = outcome.note()
        note.drift = outcome.drift_note
    return outcome


def _score(
    pipeline: Pipeline, files: Sequence[tuple[Path, Path]], options: dict[str, object]
) -> ScoreOutcome:
    model = load(pipeline.artifacts)
    results, refusals = [], []
    stage("scoring")
    with one_blas_thread():
        for source, done in _score_each(model, files, dict(options)):
            if isinstance(done, FFNError):
                refusals.append(Refusal.of(source, done))
            else:
                results.append(done)
    return ScoreOutcome(
        pipeline=pipeline.name, version=model.version, results=results, refusals=refusals
    )


def _score_each(
    model: Model, files: Sequence[tuple[Path, Path]], options: dict[str, Any]
) -> Iterator[tuple[Path, ScoreResult | FFNError]]:
    """Yield what became of each file; several may be shared out among processes."""
    workers = options.pop("workers", 1)
    if workers > 1 and len(files) > 1:
        # Takes longer to import than a small file to score.
        from ffn.scoring.score_files import score_files

        yield from score_files(model.scorer, files, workers, **options)
        return
    options["workers"] = workers
    for source, output in files:
        try:
            done = model.score_csv(source, output, on_progress=on_block(source), **options)
        except FFNError as error:
            yield source, error
        else:
            yield source, done
