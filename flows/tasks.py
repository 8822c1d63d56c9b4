"""The tasks: each is one call into ``ffn`` and one log line."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from ffn.bundles.bundle import Bundle
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.pipelines.batch_scoring import score_all
from ffn.pipelines.outcomes import Refusal
from ffn.pipelines.progress import on_block, on_epoch
from ffn.promotion import gate, register
from ffn.promotion.champion import Opponent, Unreadable
from ffn.promotion.register import Version
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, interval
from ffn.registry.actor import Actor, this_process
from ffn.reports.baselines_section import baselines_sentence
from ffn.reports.model_card import model_card
from ffn.reports.retraining_report import Report, write_report
from ffn.scoring.canary import try_version
from ffn.scoring.export import export_for_notebooks
from ffn.scoring.inbox.inbox_scan import Waiting
from ffn.scoring.model import Model
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.tabular.training_table.dataset import Dataset
from ffn.training import examination, selection, steps
from ffn.training.examination import Examination
from ffn.training.partition import TrainingPart
from ffn.training.retrained import Retrained
from ffn.training.selection import Candidate, Selection
from ffn.training.steps import Prepared, Refitted
from flows import artifacts

__all__ = [
    "batch_predict",
    "decide",
    "evaluate",
    "examine",
    "export_model",
    "load",
    "normalise",
    "promote",
    "refit",
    "report",
    "score_files",
    "select_best",
    "serialise",
    "split",
    "train",
]

# Caching would hash every array, persisting would pickle it. And no tags: for each run of a task
# that has one Prefect asks its server for a slot, and a busy SQLite that gives none fails the run.
_PLAIN: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
_TRANSIENT = {errno.EAGAIN, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}


def _is_transient(_task: Any, _run: Any, state: Any) -> bool:
    """Say whether the disk may behave at the next try; a refusal stays a refusal."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, OSError) and error.errno in _TRANSIENT


_WRITING: dict[str, Any] = {
    **_PLAIN,
    "retries": 2,
    "retry_delay_seconds": 1,
    "retry_condition_fn": _is_transient,
}


def _flow_run() -> Actor:
    """Return this flow run as whoever makes and promotes versions."""
    return this_process(str(flow_run.get_id() or ""))


@task(name="load", task_run_name="load", **_PLAIN)
def load(pipeline: Pipeline) -> Dataset:
    """Read and check the training CSV."""
    dataset = steps.load(pipeline)
    get_run_logger().info("%s of %s", counted(dataset.rows, "row"), pipeline.source)
    return dataset


@task(name="split", task_run_name="split", **_PLAIN)
def split(dataset: Dataset, pipeline: Pipeline) -> Any:
    """Hold rows out for the final figure; returns booleans, one a row."""
    held_out = steps.split(dataset, pipeline)
    get_run_logger().info("%s of %s held out", f"{held_out.sum():,}", counted(len(held_out), "row"))
    return held_out


@task(name="normalise", task_run_name="normalise", **_PLAIN)
def normalise(dataset: Dataset, held_out: Any, pipeline: Pipeline) -> Prepared:
    """Turn columns into inputs, with statistics from the training part alone."""
    prepared = steps.normalise(dataset, held_out, pipeline)
    inputs = counted(prepared.preparation.n_inputs, "input")
    get_run_logger().info("%s; %s", inputs, prepared.notices or "all used")
    return prepared


@task(name="train", task_run_name="train-{optimizer}", **_PLAIN)
def train(part: TrainingPart, pipeline: Pipeline, optimizer: str) -> Candidate:
    """Train one optimizer's networks, each on its own resample."""
    epochs = pipeline.settings.training.epochs
    with artifacts.training_progress(pipeline.name, optimizer) as show:
        candidate = steps.train_candidate(
            part, pipeline, optimizer, on_epoch(optimizer, epochs, show)
        )
    get_run_logger().info("%s: trained in %.2f s", optimizer, candidate.seconds)
    return candidate


@task(name="select-best", task_run_name="select-best", **_PLAIN)
def select_best(candidates: Sequence[Candidate]) -> Selection:
    """Choose the optimizer by mean validation log-loss."""
    chosen = selection.select_best(candidates)
    get_run_logger().info(chosen.reason)
    return chosen


@task(name="refit", task_run_name="refit-{chosen.winner}", **_PLAIN)
def refit(
    part: TrainingPart, pipeline: Pipeline, chosen: Selection, candidates: Sequence[Candidate]
) -> Refitted:
    """Train the winner on the whole training part."""
    refitted = steps.refit(part, pipeline, chosen, candidates)
    get_run_logger().info("%s refitted for %s", chosen.winner, counted(refitted.epochs, "epoch"))
    return refitted


@task(name="evaluate", task_run_name="evaluate", **_PLAIN)
def evaluate(refitted: Refitted, prepared: Prepared, pipeline: Pipeline) -> HeldOutEvaluation:
    """Look at the held-out rows, once."""
    evaluation = steps.evaluate(refitted, prepared, pipeline)
    rows = counted(evaluation.rows, "held-out row")
    get_run_logger().info("accuracy %s on %s", interval(evaluation.accuracy), rows)
    return evaluation


@task(name="decide", task_run_name="decide", **_PLAIN)
def decide(
    pipeline: Pipeline,
    dataset: Dataset,
    held_out: Any,
    prepared: Prepared,
    refitted: Refitted,
    evaluation: HeldOutEvaluation,
    opponent: Opponent | Unreadable | None,
) -> Verdict:
    """Compare the new model with the version in production."""
    verdict = gate.decide(pipeline, dataset, held_out, prepared, refitted, evaluation, opponent)
    get_run_logger().info("%s: %s", "promote" if verdict.promote else "keep back", verdict.reason)
    return verdict


@task(name="examine", task_run_name="examine", **_PLAIN)
def examine(
    dataset: Dataset, held_out: Any, prepared: Prepared, refitted: Refitted, pipeline: Pipeline
) -> Examination:
    """Compare the new model with simpler ones, and find out what it rests on."""
    found = examination.examine(dataset, held_out, prepared, refitted, pipeline)
    get_run_logger().info(baselines_sentence(found.baselines, found.rows, prepared.held_out.rows))
    return found


@task(name="serialise", task_run_name="serialise", **_WRITING)
def serialise(
    retrained: Retrained, dataset: Dataset, held_out: Any, verdict: Verdict, seconds: float
) -> Version:
    """Write the new version, and try it in a fresh process."""
    judge = partial(
        try_version,
        verdict=verdict,
        bundle=retrained.refitted.bundle,
        dataset=dataset,
        held_out=held_out,
    )
    describe = partial(model_card, retrained=retrained)
    version = register.serialise(retrained, judge, describe, by=_flow_run(), seconds=seconds)
    get_run_logger().info("version %d, bundle %s", version.number, version.sha256)
    return version


@task(name="export", task_run_name="export", **_WRITING)
def export_model(bundle: Bundle, pipeline: Pipeline) -> Path:
    """Write the joblib export for notebooks."""
    path = export_for_notebooks(bundle, pipeline)
    get_run_logger().info("export for notebooks: %s", path)
    return path


@task(name="report", task_run_name="report", **_WRITING)
def report(retrained: Retrained, version: Version) -> Report:
    """Draw the pictures, write the report, show both on the dashboard."""
    written = write_report(retrained, version)
    artifacts.show_retraining(retrained.pipeline.name, retrained.selection, written)
    get_run_logger().info("report: %s", written.html)
    return written


@task(name="promote", task_run_name="promote", **_WRITING)
def promote(pipeline: Pipeline, version: Version) -> Version:
    """Make the new version the one that scores, if the gate said so; show the verdict."""
    version = register.promote_version(pipeline, version, by=_flow_run())
    artifacts.show_verdict(pipeline.name, version)
    get_run_logger().info(version.verdict.sentence(version.number))
    return version


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
