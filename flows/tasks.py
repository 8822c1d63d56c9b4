"""Prefect tasks, made from the steps of a pipeline: one call into ``ffn`` and one log line each."""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from ffn.pipelines import retraining
from ffn.pipelines.batch_scoring import score_all
from ffn.pipelines.execution import Step
from ffn.pipelines.outcomes import Refusal
from ffn.pipelines.progress import on_block
from ffn.quantities import counted
from ffn.scoring.inbox.inbox_scan import Waiting
from ffn.scoring.model import Model
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.training.partition import TrainingPart
from ffn.training.selection import Candidate
from flows import artifacts

__all__ = ["batch_predict", "score_files", "task_of", "train"]

# Caching would hash every array, persisting would pickle it. No tags: for each run of a task with
# tags Prefect requests a slot, and the run fails if a busy SQLite database grants none.
_PLAIN: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
_TRANSIENT = {errno.EAGAIN, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}


def _is_transient(_task: Any, _run: Any, state: Any) -> bool:
    """Say whether a retry may succeed, which is so only for transient errors of the disk."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, OSError) and error.errno in _TRANSIENT


_WRITING: dict[str, Any] = {
    **_PLAIN,
    "retries": 2,
    "retry_delay_seconds": 1,
    "retry_condition_fn": _is_transient,
}


@functools.cache
def task_of(step: Step[..., Any]) -> Task[..., Any]:
    """Return the task that runs ``step``, logs its result and shows it on the dashboard."""
    if step.name == retraining.TRAIN.name:
        return train
    show = _SHOWN.get(step.name)

    @functools.wraps(step.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = step.function(*args, **kwargs)
        if show:
            show(result, *args)
        get_run_logger().info(step.summary(result, *args))
        return result

    options = _WRITING if step.writes else _PLAIN
    return task(name=step.name, task_run_name=step.label or step.name, **options)(call)


# Functions that show a step's result on the dashboard, given the result and its arguments.
_SHOWN: dict[str, Callable[..., None]] = {
    retraining.REPORT.name: lambda report, retrained, _version: artifacts.show_retraining(
        retrained.pipeline.name, retrained.selection, report
    ),
    retraining.PROMOTE.name: lambda version, pipeline, *_: artifacts.show_verdict(
        pipeline.name, version
    ),
}


# Not made by `task_of`, because it shows its progress while it runs.
@task(name=retraining.TRAIN.name, task_run_name=retraining.TRAIN.label, **_PLAIN)
def train(optimizer: str, part: TrainingPart, pipeline: Pipeline) -> Candidate:
    """Train one optimizer's networks, each on its own resample."""
    with artifacts.training_progress(pipeline.name, optimizer) as show:
        candidate = retraining.train(optimizer, part, pipeline, show)
    get_run_logger().info(retraining.TRAIN.summary(candidate))
    return candidate


@task(name="batch-predict", task_run_name="batch-predict-{source.name}", **_PLAIN)
def batch_predict(model: Model, source: Path, output: Path, options: dict[str, Any]) -> ScoreResult:
    """Score one CSV file."""
    with artifacts.scoring_progress(model.pipeline, source) as show:
        result = model.score_csv(source, output, on_progress=on_block(source, show), **options)
    get_run_logger().info(
        "%s scored, %s rejected", counted(result.scored, "row"), f"{result.rejected:,}"
    )
    return result


@task(name="score-files", task_run_name="score-{label}", **_PLAIN)
def score_files(
    model: Model,
    pipeline: Pipeline,
    files: Sequence[Waiting],
    options: dict[str, Any],
    label: str,  # noqa: ARG001
) -> tuple[list[ScoreResult], list[Refusal]]:
    """Score files of the inbox, recording each; those refused do not keep the others."""
    results, refusals = score_all(model, pipeline, files, options)
    rows = sum(result.scored for result in results)
    get_run_logger().info(
        "%s, %s scored, %s refused",
        counted(len(results), "file"),
        counted(rows, "row"),
        counted(len(refusals), "file"),
    )
    return results, refusals
