"""Evaluate predictions whose labels have come, as steps that any executor can run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from ffn.errors import DataError, FFNError, OutputError
from ffn.monitoring.conclusion import Conclusion, conclude, rollback_target
from ffn.monitoring.evaluate_outcome import EvaluateOutcome
from ffn.monitoring.joined_figures import judge_joined
from ffn.monitoring.record.at_once import deliver_at_once, refuse_version
from ffn.monitoring.record.delivery import Delivery
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.taking_up import deliver, take_up_new
from ffn.pipelines.execution import Executor, InProcess, Step
from ffn.pipelines.progress import stage
from ffn.quantities import counted
from ffn.registry.run_log import running
from ffn.scoring.inbox.inbox_contents import InboxScan, Waiting
from ffn.scoring.inbox.labels_folder import note_outcomes, scan_outcomes
from ffn.scoring.inbox.listing import ChangedError, InboxFolder
from ffn.settings.pipeline import Pipeline
from ffn.shadow.labelled_tables import evaluate_challengers
from ffn.storage.source import Source, open_source
from ffn.training_history.appended_rows import AppendedRows

__all__ = [
    "APPEND",
    "CONCLUDE",
    "EVALUATE_FILE",
    "TAKE_UP",
    "append_history",
    "evaluate_file",
    "evaluate_folder",
    "evaluate_labels",
    "evaluate_steps",
    "take_up_predictions",
]


def take_up_predictions(pipeline: Pipeline) -> list[str]:
    """Take up the scored tables of ``pipeline``; return why some were not, a sentence each."""
    return take_up_new(pipeline, rollback_target(pipeline))


def evaluate_file(file: Path | Waiting, pipeline: Pipeline, version: int | None) -> Delivery | None:
    """Take up one file of labels.

    Parameters
    ----------
    file
        A path, or a file of the folder of labels.
    pipeline
        The pipeline.
    version
        The version to evaluate a table with that has all features; None for production.

    Returns
    -------
    Delivery or None
        None if a file of the folder has disappeared or changed.
    """
    if not isinstance(file, Waiting):
        with open_source(file) as stream:
            return _take(stream, pipeline, file.name, version)
    try:
        with InboxFolder.opened(file.path.parent) as folder:
            if folder.inode != file.folder:
                return None
            with folder.open_source(file.name, file.seen, file.sha256) as stream:
                found = _take(stream, pipeline, file.name, version)
    except (FileNotFoundError, ChangedError):
        return None
    except OutputError:
        # The file is not at fault, so the next pass tries again.
        raise
    except DataError as error:
        note_outcomes(pipeline, file, refusal=str(error))
        raise
    if not found.postponed:
        note_outcomes(pipeline, file, rows=found.rows)
    return found


def _take(stream: Source, pipeline: Pipeline, name: str, version: int | None) -> Delivery:
    if pipeline.settings.outcomes.id is not None:
        return deliver(pipeline, stream, name, partial(judge_joined, pipeline))
    return deliver_at_once(pipeline, stream, name, version, partial(_go_on, pipeline, version))


def _go_on(pipeline: Pipeline, version: int | None, table: ScoredTable, found: Delivery) -> None:
    """Do what else the settings ask for with a table that was scored and evaluated at once."""
    if version is None and pipeline.settings.shadow.count:
        found.notices += evaluate_challengers(pipeline, found.name, table, found.sha256)
    if pipeline.settings.outcomes.append:
        # Imported here, because it reads the table as training does, which needs large libraries.
        from ffn.training_history.appending import append_at_once

        appended = append_at_once(pipeline, table, found.sha256)
        found.notices += [appended.sentence] if appended.sentence else []
        found.problems += appended.problems
        found.postponed = bool(appended.postponed)


def append_history(pipeline: Pipeline) -> AppendedRows:
    """Append rows of ``pipeline`` whose labels have come to the training CSV."""
    from ffn.training_history.appending import append_joined

    return append_joined(pipeline)


TAKE_UP: Step[[Pipeline], list[str]] = Step(
    "take-up-predictions",
    take_up_predictions,
    lambda troubles, *_: f"{counted(len(troubles), 'scored table')} not taken up",
    writes=True,
)
EVALUATE_FILE: Step[[Path | Waiting, Pipeline, int | None], Delivery | None] = Step(
    "evaluate-file",
    evaluate_file,
    lambda found, *_: found.sentence if found else "the file has changed or disappeared",
    label="evaluate-{file.name}",
    spares=(FFNError,),
)
APPEND: Step[[Pipeline], AppendedRows] = Step(
    "append-history",
    append_history,
    lambda found, *_: found.sentence or "nothing to append",
    writes=True,
)
CONCLUDE: Step[[Pipeline], Conclusion] = Step(
    "conclude",
    conclude,
    lambda found, *_: found.alert or found.rolled_back or "nothing is shown to be wrong",
    writes=True,
)


def evaluate_labels(
    pipeline: Pipeline, files: Sequence[Path], version: int | None = None
) -> EvaluateOutcome:
    """Evaluate named files of labels, without a scheduler.

    Parameters
    ----------
    pipeline
        The pipeline.
    files
        Paths; none for a new look at what is known, after taking up new predictions.
    version
        The version to evaluate tables with that have all features; None, the default, for the one
        in production.

    Raises
    ------
    SettingsError
        A version is given although labels are joined by their ids.
    """
    refuse_version(pipeline, version)
    with running(pipeline.artifacts, "evaluate") as note:
        outcome = evaluate_steps(pipeline, files, InProcess(), version=version)
        note.outcome, note.version, note.text = outcome.note()
    return outcome


def evaluate_folder(pipeline: Pipeline) -> EvaluateOutcome:
    """Evaluate the new files in the folder of labels of ``pipeline``, without a scheduler."""
    with running(pipeline.artifacts, "evaluate") as note:
        seen = scan_outcomes(pipeline)
        outcome = evaluate_steps(pipeline, seen.waiting, InProcess(), folder=seen)
        if outcome.deliveries or outcome.refusals:
            note.outcome, note.version, note.text = outcome.note()
    return outcome


def evaluate_steps(
    pipeline: Pipeline,
    files: Collection[Path | Waiting],
    executor: Executor,
    *,
    version: int | None = None,
    folder: InboxScan | None = None,
) -> EvaluateOutcome:
    """Take up predictions, then each file of labels, and conclude.

    Parameters
    ----------
    pipeline
        The pipeline.
    files
        Paths, or files of the folder of labels.
    executor
        Runs the steps.
    version
        As for `evaluate`; None by default.
    folder
        Contents of the folder of labels; None, the default, if files were named.
    """
    stage("taking up predictions")
    troubles = executor.run(TAKE_UP, pipeline)
    for trouble in troubles:
        executor.warn(trouble)
    stage("joining labels")
    deliveries: list[Delivery] = []
    refusals: dict[str, str] = {}
    # One after another: each is a transaction on one record, in the order in which they came.
    for file in files:
        done = executor.run_each(EVALUATE_FILE, [file], pipeline, version)
        for _, error in done.failures:
            if isinstance(error, OutputError):
                # Every other file would fail for the same reason.
                raise error
        deliveries += [found for found in done.results if found is not None]
        refusals |= {str(one): str(error) for one, error in _named(done.failures)}
    history = None
    if pipeline.settings.outcomes.append and pipeline.settings.outcomes.id is not None:
        stage("appending rows to the training table")
        history = executor.run(APPEND, pipeline)
    problems = list(history.problems) if history else []
    problems += [one for delivery in deliveries for one in delivery.problems]
    refusals |= {str(pipeline.source): "; ".join(problems)} if problems else {}
    stage("comparing with what was promised")
    return EvaluateOutcome(
        pipeline=pipeline.name,
        deliveries=deliveries,
        refusals=refusals,
        troubles=troubles,
        conclusion=executor.run(CONCLUDE, pipeline),
        folder=folder,
        history=history,
    )


def _named(
    failures: Sequence[tuple[Path | Waiting, Exception]],
) -> list[tuple[Path, Exception]]:
    return [(one.path if isinstance(one, Waiting) else one, error) for one, error in failures]
