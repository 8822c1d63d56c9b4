"""The flow that compares predictions with labels, for ``ffn evaluate`` and ``ffn serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, runtime
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from ffn.errors import BusyError, FFNError
from ffn.monitoring.evaluate_outcome import EvaluateOutcome
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcome_evaluation import evaluate_steps
from ffn.registry.versions import in_production
from ffn.scoring.inbox.labels_folder import scan_outcomes
from ffn.settings.pipeline import Pipeline, find_pipeline
from flows import artifacts
from flows.failed_states import failed
from flows.recorded_runs import give_way, recorded
from flows.task_executor import TaskExecutor
from flows.uneventful_runs import NOTHING_NEW, SKIPPED

__all__ = ["evaluate_outcomes"]

_RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=1)


@flow(
    name="evaluate",
    flow_run_name="evaluate-{pipeline}",
    persist_result=False,
    task_runner=_RUNNER,
)
def evaluate_outcomes(
    pipeline: str, root: str = ".", files: list[Path] | None = None, version: int | None = None
) -> Any:  # the outcome, or a state
    """Join labels that came later to predictions, and compare realised with promised quality.

    Parameters
    ----------
    pipeline, root
        As for ``retrain``.
    files
        Files of labels; None, the default, for the new ones in the pipeline's ``outcomes`` folder.
    version
        The version to evaluate tables with that have all features; None, the default, for the one
        in production.

    Returns
    -------
    EvaluateOutcome

    Raises
    ------
    LabelsRefusedError
        A file was refused; the others were taken up.
    """
    try:
        found = find_pipeline(pipeline, Path(root))
        if runtime.deployment.id and in_production(found.artifacts) is None:
            return Completed(name=SKIPPED, message="No version is in production yet.")
        outcome = _evaluate(found, files, version)
    except BusyError as busy:
        return give_way(busy)
    except FFNError as refusal:
        return failed(refusal)
    if files is not None or outcome.deliveries:
        return outcome
    return Completed(data=outcome, name=NOTHING_NEW, message="No new labels have come.")


def _evaluate(found: Pipeline, files: list[Path] | None, version: int | None) -> EvaluateOutcome:
    with recorded(found, "evaluate") as note, ending_tasks():
        seen = scan_outcomes(found) if files is None else None
        outcome = evaluate_steps(
            found,
            seen.waiting if seen else files or [],
            TaskExecutor(),
            version=version,
            folder=seen,
        )
        if files is not None or outcome.deliveries or outcome.refusals:
            note.outcome, note.version, note.text = outcome.note()
            artifacts.show_outcomes(found, outcome)
    outcome.check()
    return outcome
