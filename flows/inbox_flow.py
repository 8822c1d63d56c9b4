"""The flow that scores new files in an inbox, for ``ffn score --new`` and ``ffn serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from ffn.blas_threads import one_blas_thread
from ffn.errors import BusyError, FFNError
from ffn.pipelines.batch_scoring import options_for
from ffn.pipelines.inbox_scoring import score_inbox_steps
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcomes import ScoreOutcome
from ffn.registry.versions import in_production
from ffn.scoring.model import load
from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.storage.pipeline_locks import inbox_lock
from flows import artifacts
from flows.failed_states import failed
from flows.recorded_runs import give_way, recorded
from flows.task_executor import TaskExecutor
from flows.uneventful_runs import NOTHING_NEW, SKIPPED

__all__ = ["score_inbox"]

_RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1)


@flow(
    name="score-inbox",
    flow_run_name="score-{pipeline}",
    persist_result=False,
    task_runner=_RUNNER,
)
def score_inbox(
    pipeline: str, root: str = ".", options: dict[str, Any] | None = None
) -> Any:  # the outcome, or a state
    """Score every file in the inbox that the version in production has not scored.

    Parameters
    ----------
    pipeline, root
        As for ``retrain``.
    options
        Result of ``ffn.pipelines.batch_scoring.options_for``; None, the default, for the
        settings of the pipeline.

    Returns
    -------
    ScoreOutcome

    Raises
    ------
    FilesRefusedError
        A file was not scored; the others were. This version does not try it again.
    """
    try:
        found = find_pipeline(pipeline, Path(root))
        if runtime.deployment.id and in_production(found.artifacts) is None:
            # A scheduled run may start before the first retraining has ended; that is no failure.
            return Completed(name=SKIPPED, message="No version is in production yet.")
        outcome = _score_inbox(found, options_for(found, **(options or {})))
    except BusyError as busy:
        return give_way(busy)
    except FFNError as refusal:
        return failed(refusal)
    if outcome.results:
        return outcome
    return Completed(data=outcome, name=NOTHING_NEW, message="Nothing new is in the inbox.")


def _score_inbox(found: Pipeline, chosen: dict[str, Any]) -> ScoreOutcome:
    with (
        recorded(found, "score") as note,
        inbox_lock(found.artifacts),
        one_blas_thread(),
        ending_tasks(),
    ):
        model = load(found.artifacts)
        note.version = model.version
        scheduled = bool(runtime.deployment.id)
        outcome = score_inbox_steps(model, found, chosen, TaskExecutor(), wait=not scheduled)
        if outcome.results or outcome.refusals:
            note.outcome, note.version, note.text = outcome.note()
            note.drift = outcome.drift_note
            artifacts.show_scoring(found, outcome)
        elif seen := outcome.inbox:
            get_run_logger().info(
                "nothing new: %d scored before, %d refused, %d being written",
                len(seen.scored),
                len(seen.refused),
                len(seen.settling),
            )
    outcome.check()
    return outcome
