"""Score the new files of an inbox, as steps that any executor can run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ffn.blas_threads import one_blas_thread
from ffn.errors import FFNError, OutputError
from ffn.pipelines.batch_scoring import beside_production, kept_for_outcomes
from ffn.pipelines.execution import Executor, InProcess, Step
from ffn.pipelines.outcomes import Refusal, ScoreOutcome
from ffn.pipelines.progress import on_block, stage
from ffn.quantities import counted
from ffn.registry.run_log import running
from ffn.scoring.inbox.inbox_scan import Waiting, scan_inbox, score_waiting
from ffn.scoring.inbox.settling import look_when_quiet
from ffn.scoring.model import Model, load
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.storage.pipeline_locks import inbox_lock

__all__ = ["SCORE_SHARE", "Share", "score_inbox", "score_inbox_steps", "score_share"]

# A task costs Prefect some 50 ms and several rows in its database, so of many files each task
# scores several.
_FILES_ALONE, _MOST_IN_A_SHARE = 8, 200


@dataclass(frozen=True)
class Share:
    """Files of the inbox that one run of a step scores.

    Attributes
    ----------
    files
        The files.
    """

    files: tuple[Waiting, ...]

    @property
    def label(self) -> str:
        """Name of the only file, or the number of files."""
        return self.files[0].name if len(self.files) == 1 else f"{len(self.files)}-files"


def score_share(
    share: Share, model: Model, pipeline: Pipeline, options: Mapping[str, Any]
) -> tuple[list[ScoreResult], list[Refusal]]:
    """Score files of the inbox one after another; return results and refusals.

    Parameters
    ----------
    share
        The files.
    model
        The model in production.
    pipeline
        The pipeline.
    options
        Result of `options_for`.

    Raises
    ------
    OutputError
        An output cannot be written; those of the other files would fail, too.
    """
    results, refusals = [], []
    for file in share.files:
        try:
            done = score_waiting(model, pipeline, file, on_progress=on_block(file.path), **options)
        except OutputError:
            raise
        except FFNError as error:
            refusals.append(Refusal.of(file.path, error))
        else:
            results += [done] if done else []
    return results, refusals


def _summary(done: tuple[list[ScoreResult], list[Refusal]], *_arguments: Any) -> str:
    results, refusals = done
    rows = counted(sum(result.scored for result in results), "row")
    refused = counted(len(refusals), "file")
    return f"{counted(len(results), 'file')}, {rows} scored, {refused} refused"


SCORE_SHARE: Step[
    [Share, Model, Pipeline, Mapping[str, Any]], tuple[list[ScoreResult], list[Refusal]]
] = Step("score-files", score_share, _summary, label="score-{share.label}")


def score_inbox(pipeline: Pipeline, options: Mapping[str, Any]) -> ScoreOutcome:
    """Score the files of the inbox that the version in production has not scored.

    Parameters
    ----------
    pipeline
        The pipeline.
    options
        Result of `options_for`.

    Raises
    ------
    BusyError
        Another process is scoring this inbox.
    """
    with (
        running(pipeline.artifacts, "score") as note,
        inbox_lock(pipeline.artifacts),
        one_blas_thread(),
    ):
        outcome = score_inbox_steps(load(pipeline.artifacts), pipeline, options, InProcess())
        if outcome.results or outcome.refusals:
            note.outcome, note.version, note.text = outcome.note()
            note.drift = outcome.drift_note
    return outcome


def score_inbox_steps(
    model: Model,
    pipeline: Pipeline,
    options: Mapping[str, Any],
    executor: Executor,
    *,
    wait: bool = True,
) -> ScoreOutcome:
    """Score the files of the inbox that this version has not scored, in shares.

    Parameters
    ----------
    model
        The model in production.
    pipeline
        The pipeline.
    options
        Result of `options_for`.
    executor
        Runs the step.
    wait
        Whether to wait, for at most a minute, for files that have just been written, as by
        default: the user who put them there expects their rows. False for a schedule, which
        scans again by itself.
    """
    if wait:
        seen = look_when_quiet(pipeline, model.version, stage)
    else:
        seen = scan_inbox(pipeline, model.version)
    stage("scoring")
    shares = executor.run_each(SCORE_SHARE, _shares(seen.waiting), model, pipeline, options)
    scored = [result for results, _ in shares.results for result in results]
    return ScoreOutcome(
        pipeline=pipeline.name,
        version=model.version,
        results=scored,
        refusals=[refusal for _, refusals in shares.results for refusal in refusals],
        inbox=seen,
        not_taken_up=kept_for_outcomes(pipeline, scored),
        shadow=beside_production(pipeline, scored),
    )


def _shares(files: tuple[Waiting, ...]) -> list[Share]:
    """Divide files among runs of a step; few files get one run each."""
    size = 1
    if len(files) > _FILES_ALONE:
        size = min(-(-len(files) // (os.cpu_count() or 1)), _MOST_IN_A_SHARE)
    return [Share(files[start : start + size]) for start in range(0, len(files), size)]
