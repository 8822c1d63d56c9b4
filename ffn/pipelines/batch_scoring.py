"""Batch scoring without Prefect: one file after another, in this process.

Separate from retraining, which imports ten times as much, so that ten rows are scored within a
second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
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

__all__ = ["score", "score_all", "score_inbox"]


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
    """Yield the result or the error of each file; files may be distributed among processes."""
    workers = options.pop("workers", 1)
    if workers > 1 and len(files) > 1:
        # Importing it takes longer than scoring a small file.
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
    """Score files of the inbox one after another; return results and refusals.

    Parameters
    ----------
    model
        The model to score with.
    pipeline
        The pipeline whose inbox holds the files.
    files
        Files found in the inbox.
    options
        Options of ``ffn.scoring.score_file.score_csv``.

    Raises
    ------
    OutputError
        Outputs cannot be written, so all following files would fail, too.
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
