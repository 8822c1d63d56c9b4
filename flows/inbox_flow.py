"""The flow that scores new files in an inbox, for ``ffn score --new`` and ``ffn serve``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from ffn.errors import BusyError
from ffn.pipelines.blas_threads import one_blas_thread
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcomes import ScoreOutcome
from ffn.pipelines.progress import stage
from ffn.registry.versions import in_production
from ffn.scoring.inbox.inbox_scan import Waiting, look, own_options
from ffn.scoring.inbox.settling import look_when_quiet
from ffn.scoring.model import load
from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.storage.run_locks import the_only_pass
from flows import artifacts, tasks
from flows.recorded_runs import give_way, recorded
from flows.uneventful_runs import NOTHING_NEW, SKIPPED

__all__ = ["score_inbox"]

_WORKERS = os.cpu_count() or 1
_RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=_WORKERS)
# A task costs some 50 ms and several database rows, so with many files a task scores several.
_FILES_ALONE, _MOST_IN_A_TASK = 8, 200


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
        Options of ``ffn.scoring.score_file.score_csv``, which override those of the pipeline.

    Returns
    -------
    ScoreOutcome

    Raises
    ------
    FilesRefusedError
        A file was not scored; the others were. This version does not try it again.
    """
    found = find_pipeline(pipeline, Path(root))
    if runtime.deployment.id and in_production(found.artifacts) is None:
        # A scheduled run may start before the first retraining has ended; that is no failure.
        return Completed(name=SKIPPED, message="No version is in production yet.")
    try:
        outcome = _score_inbox(found, own_options(found) | (options or {}))
    except BusyError as busy:
        return give_way(busy)
    if outcome.results:
        return outcome
    return Completed(data=outcome, name=NOTHING_NEW, message="Nothing new is in the inbox.")


def _score_inbox(found: Pipeline, chosen: dict[str, Any]) -> ScoreOutcome:
    with (
        recorded(found, "score") as note,
        the_only_pass(found.artifacts),
        one_blas_thread(),
        ending_tasks(),
    ):
        model = load(found.artifacts)
        note.version = model.version
        # A scheduled pass is repeated anyway; a user expects files added just now to be scored.
        scheduled = bool(runtime.deployment.id)
        look_now = look if scheduled else partial(look_when_quiet, tell=stage)
        seen = look_now(found, model.version)
        stage("scoring")
        futures = [
            tasks.score_files.submit(model, found, files, chosen, _label(files))
            for files in _shares(seen.waiting)
        ]
        results, refusals = [], []
        for future in futures:
            done, refused = future.result()
            results += done
            refusals += refused
        outcome = ScoreOutcome(
            pipeline=model.pipeline,
            version=model.version,
            results=results,
            refusals=refusals,
            inbox=seen,
        )
        if results or refusals:
            note.outcome, note.version, note.text = outcome.note()
            note.drift = outcome.drift_note
            artifacts.show_scoring(found, outcome)
        else:
            get_run_logger().info(
                "nothing new: %d scored before, %d refused, %d being written",
                len(seen.scored),
                len(seen.refused),
                len(seen.settling),
            )
    outcome.check()
    return outcome


def _shares(files: Sequence[Waiting]) -> list[list[Waiting]]:
    """Divide files among tasks; few files get one task each."""
    size = 1
    if len(files) > _FILES_ALONE:
        size = min(-(-len(files) // _WORKERS), _MOST_IN_A_TASK)
    return [list(files[start : start + size]) for start in range(0, len(files), size)]


def _label(files: Sequence[Waiting]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)}-files"
