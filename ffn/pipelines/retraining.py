"""Retraining: the one sequence of its steps, whoever executes them.

`retrain` executes it in this process; the retrain flow executes the same sequence as Prefect
tasks. Tests and benchmarks that need a trained model only use `prepare` and `fit`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ffn.auditing.audited_columns import choose_audited
from ffn.blas_threads import one_blas_thread
from ffn.checkpoints.finished_candidates import forget_candidates, taken_in_words
from ffn.criteria.criterion import Criterion, criterion_of
from ffn.decision_rules.rule_choice import check_decision
from ffn.errors import FFNError, TrainingError
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.lineage.kept_data import data_in_use
from ffn.pipelines.execution import Executor, InProcess
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome
from ffn.pipelines.progress import leaders, notice, searching, stage, trained
from ffn.pipelines.readiness import require_changeable
from ffn.pipelines.retraining_steps import (
    AUDIT,
    CALIBRATE,
    DECIDE,
    EVALUATE,
    EXAMINE,
    EXPORT,
    KEEP,
    LEAKS,
    LOAD,
    NORMALISE,
    PROMOTE,
    REFIT,
    REPORT,
    SELECT,
    SERIALISE,
    SPLIT,
    TRAIN,
)
from ffn.promotion.champion import read_opponent, unchanged_since
from ffn.promotion.lost_columns import refuse_lost_columns
from ffn.promotion.table_contract import keep_contract
from ffn.racing.dropping import drop_candidates, looks, race_in_words
from ffn.racing.standings import Standings
from ffn.registry.pruning import discard_tables
from ffn.registry.run_log import running
from ffn.registry.versions import versions
from ffn.reports.rates_section import ended_notices
from ffn.reports.retraining_page import without_pictures
from ffn.search.combinations import combinations, is_searched, largest_first
from ffn.settings.pipeline import Pipeline
from ffn.storage.pipeline_locks import retraining_lock
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.retrained import Retrained
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.leaderboard import Selection
from ffn.training.steps import Prepared, Refitted
from ffn.watching.publication import forget_snapshots

__all__ = ["Fitted", "fit", "prepare", "retrain", "run_steps"]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A model that was chosen, refitted and evaluated.

    Attributes
    ----------
    candidates, selection
        The optimizers that were compared, and which one was chosen.
    refitted, evaluation
        The model, and its figures on the held-out rows.
    failures
        Optimizers that gave no network, with the reason.
    """

    candidates: list[Candidate]
    selection: Selection
    refitted: Refitted
    evaluation: HeldOutEvaluation
    failures: dict[str, str]


def retrain(pipeline: Pipeline, *, force: bool = False) -> RetrainOutcome | SkippedOutcome:
    """Retrain a pipeline in this process.

    Parameters
    ----------
    pipeline
        The pipeline.
    force
        Train also where neither data nor settings nor code changed.

    Raises
    ------
    BusyError
        Another process retrains this pipeline.
    """
    with (
        running(pipeline.artifacts, "retrain") as note,
        retraining_lock(pipeline.artifacts),
        one_blas_thread(),
    ):
        outcome = run_steps(pipeline, InProcess(), force=force)
        note.outcome, note.version, note.text = outcome.note()
    return outcome


def run_steps(
    pipeline: Pipeline, executor: Executor, *, force: bool = False
) -> RetrainOutcome | SkippedOutcome:
    """Train all candidates, choose, refit, evaluate once, examine, judge, register, promote.

    Parameters
    ----------
    pipeline
        The pipeline.
    executor
        Runs the steps.
    force
        Train also where neither data nor settings nor code changed.
    """
    kept = pipeline.settings.data.keep
    # Of a retraining that was killed.
    forget_snapshots(pipeline.artifacts)
    try:
        with data_in_use(pipeline.artifacts) if kept else contextlib.nullcontext():
            return _run_steps(pipeline, executor, force=force)
    except BaseException:
        # A table that was kept for a version that is not there now.
        with contextlib.suppress(FFNError, OSError):
            discard_tables(pipeline.artifacts, versions(pipeline.artifacts))
        raise
    finally:
        forget_snapshots(pipeline.artifacts)


def _run_steps(
    pipeline: Pipeline, executor: Executor, *, force: bool
) -> RetrainOutcome | SkippedOutcome:
    started = time.perf_counter()
    stage("reading the data")
    champion = read_opponent(pipeline)
    refuse_lost_columns(pipeline, champion)
    dataset = executor.run(LOAD, pipeline)
    repeated = None
    if not force:
        repeated = unchanged_since(pipeline, dataset.source_sha256, champion, dataset.test_sha256)
    if repeated:
        forget_candidates(pipeline, dataset)
        return SkippedOutcome(pipeline=pipeline.name, version=repeated)
    require_changeable(pipeline.artifacts)
    executor.run(KEEP, dataset, pipeline)
    division, prepared = prepare(pipeline, dataset, executor)
    prepared = keep_contract(prepared, champion, pipeline)
    prepared = executor.run(LEAKS, dataset, division, prepared, pipeline)
    for leak in prepared.leaks:
        executor.warn(leak.sentence)
        notice(leak.sentence)
    audited = choose_audited(dataset, division, pipeline)
    fitted = fit(pipeline, prepared, executor, dataset, division)
    stage("comparing with simpler models")
    # Before the decision, which may depend on them.
    examined = executor.run(EXAMINE, dataset, division, prepared, fitted.refitted, pipeline)
    if any(not one.apart for one in audited):
        stage("auditing the split")
    audit = executor.run(AUDIT, audited, division, prepared, fitted.refitted, pipeline)
    stage("comparing with the version in production")
    verdict = executor.run(
        DECIDE,
        pipeline,
        dataset,
        division,
        prepared,
        fitted.refitted,
        fitted.evaluation,
        examined,
        champion,
        audit,
    )
    stage("writing the model and the report")
    retrained = Retrained(
        pipeline=pipeline,
        prepared=prepared,
        candidates=fitted.candidates,
        selection=fitted.selection,
        refitted=fitted.refitted,
        evaluation=fitted.evaluation,
        examination=examined,
    )
    version = executor.run(
        SERIALISE,
        retrained,
        dataset,
        division,
        verdict,
        executor.actor,
        time.perf_counter() - started,
    )
    promoted = version.verdict.promote
    export = executor.run(EXPORT, fitted.refitted.bundle, pipeline) if promoted else None
    report = executor.run(REPORT, retrained, version)
    # Last, so that nothing scores before all that describes it is written.
    version = executor.run(PROMOTE, pipeline, version, executor.actor)
    if export and not version.verdict.promote:
        # Another version was promoted meanwhile, and its export was overwritten.
        export = None
        # Not loaded with this module, for scikit-learn takes a second and an idle run needs none.
        from ffn.scoring.export import export_production

        export_production(pipeline)
    forget_candidates(pipeline, dataset)
    return RetrainOutcome(
        pipeline=pipeline.name,
        version=version,
        selection=fitted.selection,
        evaluation=fitted.evaluation,
        examination=examined,
        report=report,
        export=export,
        notices=(
            *prepared.notices,
            *examined.notices,
            *ended_notices(fitted.selection.leaderboard),
            *(taken_in_words(one) for one in fitted.candidates if one.taken),
            *([] if report.pictures else [without_pictures()]),
        ),
        failures=fitted.failures,
        seconds=time.perf_counter() - started,
    )


def prepare(pipeline: Pipeline, dataset: Dataset, executor: Executor) -> tuple[Division, Prepared]:
    """Hold rows out and turn the table into inputs; returns the two sides, and the inputs.

    Raises
    ------
    SettingsError
        ``[decision]`` names a class that the table does not have.
    """
    check_decision(pipeline.settings.decision, dataset.classes)
    division = executor.run(SPLIT, dataset, pipeline)
    return division, executor.run(NORMALISE, dataset, division, pipeline)


def fit(
    pipeline: Pipeline,
    prepared: Prepared,
    executor: Executor,
    dataset: Dataset | None = None,
    division: Division | None = None,
) -> Fitted:
    """Train every candidate, choose one, refit it, and evaluate it on the held-out rows.

    Parameters
    ----------
    pipeline
        The pipeline.
    prepared
        Inputs.
    executor
        Runs the steps.
    dataset, division
        The table and its division, with rows that calibrate label sets; None, the default, for a
        model without label sets.

    Raises
    ------
    TrainingError
        No candidate was trained, or every network of the refit diverged.
    """
    criterion = criterion_of(pipeline.settings.decision, prepared.schema.classes)
    names, networks = largest_first(pipeline.settings), pipeline.settings.training.networks
    standings = Standings(names, networks, criterion, leaders)
    with searching(standings) if is_searched(pipeline.settings) else contextlib.nullcontext():
        candidates, failures = _train(pipeline, prepared, executor, criterion)
    chosen = executor.run(SELECT, candidates, criterion, is_searched(pipeline.settings))
    stage(f"refitting {chosen.winner}")
    refitted = executor.run(REFIT, prepared.training, pipeline, chosen, candidates)
    if dataset is not None and division is not None and division.calibration is not None:
        refitted = executor.run(CALIBRATE, refitted, dataset, division, pipeline)
    return Fitted(
        candidates=candidates,
        selection=chosen,
        refitted=refitted,
        evaluation=executor.run(EVALUATE, refitted, prepared, pipeline),
        failures=failures | _lost(candidates),
    )


def _train(
    pipeline: Pipeline, prepared: Prepared, executor: Executor, criterion: Criterion | None
) -> tuple[list[Candidate], dict[str, str]]:
    """Return the candidates, and for those that were lost why; of a search as far as they race."""
    stage(TRAIN.activity)
    names = largest_first(pipeline.settings)
    dropped: list[Candidate] = []
    errors: dict[str, Exception] = {}

    def trained_until(stop: int | None) -> list[Candidate]:
        gathered = executor.run_each(TRAIN, names, prepared.training, pipeline, stop)
        for name, error in gathered.failures:
            executor.warn(f"{name} is lost: {error}")
            errors[name] = error
        names[:] = [name for name in names if name not in errors]
        return gathered.results

    rivals = len(names) - 1
    for look in looks(pipeline.settings):
        if len(names) > 1:
            found = trained_until(look)
            now = drop_candidates(found, pipeline.settings, criterion, rivals)
            told = race_in_words(now, len(found))
            stage(told)
            executor.log(told)
            for one in now:
                trained(one)
            names = [name for name in names if name not in {one.optimizer for one in now}]
            dropped += now
    candidates = trained_until(None) if names else []
    if not candidates and errors:
        reasons = "; ".join(f"{name}: {error}" for name, error in errors.items())
        first = next(iter(errors.values()))
        raise TrainingError(f"every training task failed ({reasons}).") from first
    order = list(combinations(pipeline.settings))
    candidates = sorted([*candidates, *dropped], key=lambda one: order.index(one.optimizer))
    return candidates, {name: str(error) for name, error in errors.items()}


def _lost(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return optimizers among ``candidates`` whose networks all diverged, with the first reason."""
    return {
        candidate.optimizer: f"every network diverged, {candidate.history.diverged[0]}"
        for candidate in candidates
        if not candidate.history.finished.any()
    }
