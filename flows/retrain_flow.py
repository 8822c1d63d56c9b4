"""The retrain flow: load, split, normalise, train in parallel, choose, register, report."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture
from prefect.states import Completed
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from ffn.errors import BusyError, TrainingError, one_line
from ffn.pipelines.blas_threads import one_blas_thread
from ffn.pipelines.interruption import ending_tasks
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome, lost
from ffn.pipelines.progress import stage
from ffn.promotion.champion import read_opponent, unchanged_since
from ffn.promotion.lost_columns import refuse_lost_columns
from ffn.promotion.table_contract import keep_contract
from ffn.registry.readiness import require_changeable
from ffn.scoring.export import export_production
from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.storage.run_locks import the_only_retraining
from ffn.training.partition import TrainingPart
from ffn.training.retrained import Retrained
from ffn.training.selection import Candidate
from flows import tasks
from flows.crashed_tasks import marking_abandoned
from flows.recorded_runs import give_way, recorded
from flows.uneventful_runs import UNCHANGED

__all__ = ["Runner", "retrain", "task_runner"]

Runner = Literal["thread", "process"]


def task_runner(name: Runner, workers: int) -> TaskRunner[Any]:
    """Return what runs the training tasks: threads of this process, or processes."""
    if name == "thread":
        return ThreadPoolTaskRunner(max_workers=workers)
    # Workers that were ended leave semaphores; the tracker removes them and need not tell.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    return ProcessPoolTaskRunner(max_workers=workers)


@flow(
    name="retrain",
    flow_run_name="retrain-{pipeline}",
    persist_result=False,
    task_runner=task_runner("thread", os.cpu_count() or 1),
)
def retrain(
    pipeline: str, root: str = ".", force: bool = False
) -> Any:  # the outcome, or a state that holds it
    """Retrain a pipeline's model, register it, and promote it if the gate says so.

    Parameters
    ----------
    pipeline
        A name under ``data/``, or a path to a folder or TOML file.
    root
        The folder of ``data/`` and ``artifacts/``.
    force
        Train also where neither data nor settings nor code changed.

    Returns
    -------
    RetrainOutcome or SkippedOutcome
    """
    found = find_pipeline(pipeline, Path(root))
    try:
        with recorded(found, "retrain") as note, the_only_retraining(found.artifacts):
            outcome = _retrain(found, force=force)
            note.outcome, note.version, note.text = outcome.note()
    except BusyError as busy:
        return give_way(busy)
    return Completed(data=outcome, name=_state_name(outcome), message=_told(outcome))


def _state_name(outcome: RetrainOutcome | SkippedOutcome) -> str:
    """Return what the dashboard calls the end of the run."""
    if isinstance(outcome, SkippedOutcome):
        return UNCHANGED
    return "CompletedWithLosses" if outcome.failures else "Completed"


def _told(outcome: RetrainOutcome | SkippedOutcome) -> str:
    """Return what the dashboard says of it: verdict, and what was lost."""
    lost = outcome.failures if isinstance(outcome, RetrainOutcome) else {}
    told = [outcome.note()[2], *(f"{name} is lost: {reason}" for name, reason in lost.items())]
    return one_line(" ".join(told))


def _retrain(found: Pipeline, *, force: bool) -> RetrainOutcome | SkippedOutcome:
    started = time.perf_counter()
    with one_blas_thread(), ending_tasks():
        stage("reading the data")
        opponent = read_opponent(found)
        refuse_lost_columns(found, opponent)
        dataset = tasks.load(found)
        repeated = None if force else unchanged_since(found, dataset.source_sha256, opponent)
        if repeated:
            skipped = SkippedOutcome(pipeline=found.name, version=repeated)
            get_run_logger().info(skipped.sentence)
            return skipped
        require_changeable(found.artifacts)
        held_out = tasks.split(dataset, found)
        prepared = keep_contract(tasks.normalise(dataset, held_out, found), opponent, found)
        futures = {
            optimizer: tasks.train.submit(prepared.training, found, optimizer)
            for optimizer in found.settings.optimizers.candidates()
        }
        with marking_abandoned(futures.values()):
            candidates, failures, broken = _collect(futures)
        again, lost_again = _train_apart(prepared.training, found, broken)
        candidates, failures = [*candidates, *again], failures | lost_again
        if not candidates:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in failures.items())
            raise TrainingError(f"every training task failed ({reasons}).")
        selection = tasks.select_best(candidates)
        stage(f"refitting {selection.winner}")
        refitted = tasks.refit(prepared.training, found, selection, candidates)
        evaluation = tasks.evaluate(refitted, prepared, found)
        stage("comparing with the version in production")
        verdict = tasks.decide(found, dataset, held_out, prepared, refitted, evaluation, opponent)
        stage("comparing with simpler models")
        examination = tasks.examine(dataset, held_out, prepared, refitted, found)
        stage("writing the model and the report")
        retrained = Retrained(
            pipeline=found,
            prepared=prepared,
            candidates=candidates,
            selection=selection,
            refitted=refitted,
            evaluation=evaluation,
            examination=examination,
        )
        seconds = time.perf_counter() - started
        version = tasks.serialise(retrained, dataset, held_out, verdict, seconds)
        promoted = version.verdict.promote
        export = tasks.export_model(refitted.bundle, found) if promoted else None
        report = tasks.report(retrained, version)
        # Last, so that nothing scores before all that speaks of it is there.
        version = tasks.promote(found, version)
        if export and not version.verdict.promote:
            # Another was promoted meanwhile, and its export written over.
            export = None
            export_production(found)
    return RetrainOutcome(
        pipeline=found.name,
        version=version,
        selection=selection,
        evaluation=evaluation,
        examination=examination,
        report=report,
        export=export,
        notices=prepared.notices,
        failures=failures | lost(candidates),
        seconds=time.perf_counter() - started,
    )


def _collect(
    futures: Mapping[str, PrefectFuture[Candidate]],
) -> tuple[list[Candidate], dict[str, str], list[str]]:
    """Return what the trainings gave, why others gave nothing, and which lost their worker.

    Where a worker is killed, all that the pool had not finished is lost with it.
    """
    candidates, failures, broken = [], {}, []
    for place, (optimizer, future) in enumerate(futures.items()):
        stage(f"training, {place} of {len(futures)} done")
        try:
            candidates.append(future.result())
        except Exception as error:
            if isinstance(error, BrokenExecutor):
                broken.append(optimizer)
                continue
            # The others may still give a model; which one is lost is told.
            failures[optimizer] = str(error)
            get_run_logger().warning("%s is lost: %s", optimizer, error)
    return candidates, failures, broken


def _train_apart(
    part: TrainingPart, pipeline: Pipeline, optimizers: Sequence[str]
) -> tuple[list[Candidate], dict[str, str]]:
    """Train each in a process of its own, so that one that is killed again costs no other."""
    candidates, failures = [], {}
    for optimizer in optimizers:
        get_run_logger().warning("%s is trained again: a worker was killed", optimizer)
        parameters = {"part": part, "pipeline": pipeline, "optimizer": optimizer}
        with task_runner("process", 1) as runner:
            future = runner.submit(tasks.train, parameters=parameters)
            try:
                candidates.append(future.result())
            except Exception as error:
                failures[optimizer] = f"its process was killed twice ({error})"
                get_run_logger().warning("%s is lost: %s", optimizer, error)
    return candidates, failures
