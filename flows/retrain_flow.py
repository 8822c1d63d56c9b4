"""The retrain flow: the steps of a retraining as Prefect tasks."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.states import Completed

from ffn.blas_threads import one_blas_thread
from ffn.clusters.runner_options import check_runner_table
from ffn.databases.secret_blocks import read_blocks_with
from ffn.errors import BusyError, FFNError, one_line
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome
from ffn.pipelines.retraining import run_steps
from ffn.search.combinations import is_searched
from ffn.settings.pipeline import find_pipeline
from ffn.storage.pipeline_locks import retraining_lock
from flows.blocks.prefect_secrets import prefect_secret
from flows.failed_states import failed
from flows.progress_artifacts import live_leaderboard
from flows.recorded_runs import give_way, recorded
from flows.task_executor import TaskExecutor, task_runner
from flows.uneventful_runs import UNCHANGED

__all__ = ["retrain"]


@flow(
    name="retrain",
    flow_run_name="retrain-{pipeline}",
    persist_result=False,
    task_runner=task_runner("thread", os.cpu_count() or 1),
)
def retrain(
    pipeline: str,
    root: str = ".",
    force: bool = False,
    runner: dict[str, Any] | None = None,
) -> Any:  # the outcome, or a state that holds it
    """Retrain a pipeline's model, register it, and promote it if the gate says so.

    Parameters
    ----------
    pipeline
        A name under ``data/``, or a path to a folder or TOML file.
    root
        The folder with ``data/`` and ``artifacts/``.
    force
        Train even if data, settings and code are unchanged.
    runner
        What takes the place of the table ``[runner]`` of the settings; None: nothing does.

    Returns
    -------
    RetrainOutcome or SkippedOutcome
    """
    read_blocks_with(prefect_secret)
    try:
        found = find_pipeline(pipeline, Path(root))
        with (
            recorded(found, "retrain") as note,
            retraining_lock(found.artifacts),
            one_blas_thread(),
            ending_tasks(),
        ):
            settings = found.settings.runner
            if runner is not None:
                settings = check_runner_table(runner)
            searched = is_searched(found.settings)
            with live_leaderboard(found.name) if searched else contextlib.nullcontext():
                outcome = run_steps(found, TaskExecutor(settings, found.folder), force=force)
            if isinstance(outcome, SkippedOutcome):
                get_run_logger().info(outcome.sentence)
            note.outcome, note.version, note.text = outcome.note()
    except BusyError as busy:
        return give_way(busy)
    except FFNError as refusal:
        return failed(refusal)
    return Completed(data=outcome, name=_state_name(outcome), message=_told(outcome))


def _state_name(outcome: RetrainOutcome | SkippedOutcome) -> str:
    """Return the name of the final state on the dashboard."""
    if isinstance(outcome, SkippedOutcome):
        return UNCHANGED
    return "CompletedWithLosses" if outcome.failures else "Completed"


def _told(outcome: RetrainOutcome | SkippedOutcome) -> str:
    """Return the message of the final state: the verdict, and failed optimizers."""
    lost = outcome.failures if isinstance(outcome, RetrainOutcome) else {}
    told = [outcome.note()[2], *(f"{name} is lost: {reason}" for name, reason in lost.items())]
    return one_line(" ".join(told))
