"""Prefect tasks, made from the steps of a pipeline: one call into ``ffn`` and one log line each."""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from typing import Any

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from ffn.errors import FFNError
from ffn.pipelines import batch_scoring, inbox_scoring, retraining_steps
from ffn.pipelines.execution import Step
from ffn.scoring.inputs import FileToScore
from ffn.scoring.model import Model
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.partitioned.scoring_elsewhere import ScoringElsewhere
from ffn.settings.pipeline import Pipeline
from ffn.training.candidate_training import Elsewhere
from ffn.training.partition import TrainingPart
from ffn.training.selection.candidate import Candidate
from flows import artifacts, progress_artifacts
from flows.failed_states import PartlyRefusedError, failed

__all__ = ["batch_predict", "task_of", "train"]

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
    """Return the task that runs ``step``, logs its result, and shows it on the dashboard.

    A refusal is the task's final state, not an exception: see `flows.failed_states`.
    """
    if step.name in _SHOWING_PROGRESS:
        return _SHOWING_PROGRESS[step.name]
    show, refused = _SHOWN.get(step.name), _REFUSED.get(step.name)

    @functools.wraps(step.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = step.function(*args, **kwargs)
        except FFNError as refusal:
            return failed(refusal)
        if show:
            show(result, *args)
        get_run_logger().info(step.summary(result, *args))
        if reasons := refused(result) if refused else []:
            return failed(PartlyRefusedError(reasons, result))
        return result

    options = _WRITING if step.writes else _PLAIN
    return task(name=step.name, task_run_name=step.label or step.name, **options)(call)


# Functions that show a step's result on the dashboard, given the result and its arguments.
_SHOWN: dict[str, Callable[..., None]] = {
    retraining_steps.REPORT.name: lambda report, retrained, _version: artifacts.show_retraining(
        retrained.pipeline.name, retrained.selection, report
    ),
    retraining_steps.PROMOTE.name: lambda version, pipeline, *_: artifacts.show_verdict(
        pipeline.name, version
    ),
}

# Reasons of the files that a step refused without an error.
_REFUSED: dict[str, Callable[[Any], list[str]]] = {
    inbox_scoring.SCORE_SHARE.name: lambda done: [refusal.reason for refusal in done[1]],
}


# Not made by `task_of`, because they show their progress while they run.
@task(name=retraining_steps.TRAIN.name, task_run_name=retraining_steps.TRAIN.label, **_PLAIN)
def train(
    optimizer: str,
    part: TrainingPart,
    pipeline: Pipeline,
    stop: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> Candidate | State[Any]:  # a state if it was refused
    """Train one optimizer's networks, each on its own resample.

    Parameters
    ----------
    optimizer, part, pipeline, stop, elsewhere
        As for ``ffn.pipelines.retraining_steps.train``.
    """
    try:
        with progress_artifacts.training_progress(pipeline.name, optimizer) as show:
            candidate = retraining_steps.train(optimizer, part, pipeline, stop, show, elsewhere)
    except FFNError as refusal:
        return failed(refusal)
    get_run_logger().info(retraining_steps.TRAIN.summary(candidate))
    return candidate


@task(name=batch_scoring.SCORE_FILE.name, task_run_name=batch_scoring.SCORE_FILE.label, **_PLAIN)
def batch_predict(
    file: FileToScore,
    model: Model,
    options: dict[str, Any],
    elsewhere: ScoringElsewhere | None = None,
) -> ScoreResult | State[Any]:  # a state if it was refused
    """Score one file.

    Parameters
    ----------
    file, model, options, elsewhere
        As for ``ffn.pipelines.batch_scoring.score_one``.
    """
    try:
        with progress_artifacts.scoring_progress(model.pipeline, file.source) as show:
            result = batch_scoring.score_one(file, model, options, elsewhere, show)
    except FFNError as refusal:
        return failed(refusal)
    get_run_logger().info(batch_scoring.SCORE_FILE.summary(result))
    return result


_SHOWING_PROGRESS: dict[str, Task[..., Any]] = {
    retraining_steps.TRAIN.name: train,
    batch_scoring.SCORE_FILE.name: batch_predict,
}
