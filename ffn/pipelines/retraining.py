"""A retraining without Prefect: the same steps one after another, in this process, no server."""

from __future__ import annotations

import time
from functools import partial

from ffn.pipelines.blas_threads import one_blas_thread
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome, lost
from ffn.pipelines.progress import on_epoch, stage
from ffn.promotion.champion import read_opponent, unchanged_since
from ffn.promotion.gate import decide
from ffn.promotion.lost_columns import refuse_lost_columns
from ffn.promotion.register import promote_version, serialise
from ffn.promotion.table_contract import keep_contract
from ffn.registry.readiness import require_changeable
from ffn.registry.run_log import running
from ffn.reports.model_card import model_card
from ffn.reports.retraining_report import write_report
from ffn.scoring.canary import try_version
from ffn.scoring.export import export_for_notebooks, export_production
from ffn.settings.pipeline import Pipeline
from ffn.storage.run_locks import the_only_retraining
from ffn.training import steps
from ffn.training.examination import examine
from ffn.training.retrained import Retrained
from ffn.training.selection import select_best

__all__ = ["retrain"]


def retrain(pipeline: Pipeline, *, force: bool = False) -> RetrainOutcome | SkippedOutcome:
    """Train all candidates, choose, refit, evaluate once, judge, register and report.

    Parameters
    ----------
    force
        Train also where neither data nor settings nor code changed.
    """
    with running(pipeline.artifacts, "retrain") as note, the_only_retraining(pipeline.artifacts):
        outcome = _retrain(pipeline, force=force)
        note.outcome, note.version, note.text = outcome.note()
    return outcome


def _retrain(pipeline: Pipeline, *, force: bool) -> RetrainOutcome | SkippedOutcome:
    started = time.perf_counter()
    training = pipeline.settings.training
    with one_blas_thread():
        stage("reading the data")
        opponent = read_opponent(pipeline)
        refuse_lost_columns(pipeline, opponent)
        dataset = steps.load(pipeline)
        repeated = None if force else unchanged_since(pipeline, dataset.source_sha256, opponent)
        if repeated:
            return SkippedOutcome(pipeline=pipeline.name, version=repeated)
        require_changeable(pipeline.artifacts)
        held_out = steps.split(dataset, pipeline)
        prepared = steps.normalise(dataset, held_out, pipeline)
        prepared = keep_contract(prepared, opponent, pipeline)
        stage("training")
        candidates = [
            steps.train_candidate(
                prepared.training, pipeline, optimizer, on_epoch(optimizer, training.epochs)
            )
            for optimizer in pipeline.settings.optimizers.candidates()
        ]
        selection = select_best(candidates)
        stage(f"refitting {selection.winner}")
        refitted = steps.refit(prepared.training, pipeline, selection, candidates)
        evaluation = steps.evaluate(refitted, prepared, pipeline)
        stage("comparing with the version in production")
        verdict = decide(pipeline, dataset, held_out, prepared, refitted, evaluation, opponent)
        stage("comparing with simpler models")
        examination = examine(dataset, held_out, prepared, refitted, pipeline)
        stage("writing the model and the report")
        judge = partial(
            try_version,
            verdict=verdict,
            bundle=refitted.bundle,
            dataset=dataset,
            held_out=held_out,
        )
        retrained = Retrained(
            pipeline=pipeline,
            prepared=prepared,
            candidates=candidates,
            selection=selection,
            refitted=refitted,
            evaluation=evaluation,
            examination=examination,
        )
        version = serialise(
            retrained,
            judge,
            partial(model_card, retrained=retrained),
            seconds=time.perf_counter() - started,
        )
        promoted = version.verdict.promote
        export = export_for_notebooks(refitted.bundle, pipeline) if promoted else None
        report = write_report(retrained, version)
        # Last, so that nothing scores before all that speaks of it is there.
        version = promote_version(pipeline, version)
        if export and not version.verdict.promote:
            # Another was promoted meanwhile, and its export written over.
            export = None
            export_production(pipeline)
    return RetrainOutcome(
        pipeline=pipeline.name,
        version=version,
        selection=selection,
        evaluation=evaluation,
        examination=examination,
        report=report,
        export=export,
        notices=prepared.notices,
        failures=lost(candidates),
        seconds=time.perf_counter() - started,
    )
