"""The score flow: one batch-predict task a CSV file, all with one version of the model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from ffn.blas_threads import one_blas_thread
from ffn.cluster_scoring.cluster_scoring import cluster_scoring
from ffn.clusters.runner_options import check_runner_table
from ffn.errors import FFNError
from ffn.pipelines.batch_scoring import options_for, score_steps
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcomes import ScoreOutcome
from ffn.scoring.inputs import FileToScore
from ffn.scoring.model import load
from ffn.settings.pipeline import Pipeline, find_pipeline
from flows import artifacts
from flows.failed_states import failed
from flows.recorded_runs import recorded
from flows.task_executor import TaskExecutor

__all__ = ["score"]


# Without a limit, every file of a large inbox would be read at once.
_RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1)


@flow(
    name="score",
    flow_run_name="score-{pipeline}",
    persist_result=False,
    task_runner=_RUNNER,
)
def score(
    pipeline: str,
    files: list[tuple[Path, Path] | tuple[Path, Path, str]],
    root: str = ".",
    options: dict[str, Any] | None = None,
    runner: dict[str, Any] | None = None,
) -> Any:  # the outcome, or a state
    """Score CSV files with the version in production.

    Parameters
    ----------
    pipeline, root
        As for ``retrain``.
    files
        Pairs of input and output; a third text is what messages call the input.
    options
        Result of ``ffn.pipelines.batch_scoring.options_for``; None, the default, for the
        settings of the pipeline.
    runner
        What takes the place of the table ``[runner]`` of the settings; None: nothing does, and a
        cluster is connected to when a file is long enough.

    Returns
    -------
    ScoreOutcome

    Raises
    ------
    FilesRefusedError
        A file was not scored; the others were.
    """
    try:
        return _score(find_pipeline(pipeline, Path(root)), files, options or {}, runner)
    except FFNError as refusal:
        return failed(refusal)


def _score(
    found: Pipeline,
    files: list[tuple[Path, Path] | tuple[Path, Path, str]],
    options: dict[str, Any],
    runner: dict[str, Any] | None,
) -> ScoreOutcome:
    settings = found.settings.runner
    if runner is not None:
        settings = check_runner_table(runner)
    with (
        recorded(found, "score") as note,
        one_blas_thread(),
        ending_tasks(),
        cluster_scoring(settings, found.folder, at_once=runner is not None) as elsewhere,
    ):
        outcome = score_steps(
            load(found.artifacts),
            found,
            [FileToScore(*pair) for pair in files],
            options_for(found, **options),
            TaskExecutor(),
            elsewhere,
        )
        note.outcome, note.version, note.text = outcome.note()
        note.drift = outcome.drift_note
        artifacts.show_scoring(found, outcome)
    outcome.check()
    return outcome
