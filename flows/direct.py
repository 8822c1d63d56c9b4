"""A retraining without Prefect: the same steps one after another, in this process, no server."""

from __future__ import annotations

import time
from functools import partial

from ffn.models.examination import examine
from ffn.models.promotion.gate import decide
from ffn.models.promotion.lost_columns import refuse_lost_columns
from ffn.models.promotion.opponent import read_opponent, unchanged_since
from ffn.models.promotion.table_changes import keep_contract
from ffn.models.retrained import Retrained
from ffn.models.serialisation import promote_version, serialise
from ffn.models.settings.pipeline import Pipeline
from ffn.models.training import retraining
from ffn.models.training.selection import select_best
from ffn.models.versions.exclusive import the_only_retraining
from ffn.models.versions.journal import running
from ffn.models.versions.readiness import require_changeable
from ffn.reports.card import model_card
from ffn.reports.retrain import write_report
from ffn.scoring.canary import try_version
from ffn.scoring.export import export_for_notebooks, export_production
from flows.outcomes import RetrainOutcome, SkippedOutcome, lost
from flows.progress import on_epoch, stage
from flows.threads import one_blas_thread

__all__ = ["retrain"]


def retrain(pipeline: Pipeline, *, force: bool = False) -> RetrainOutcome | SkippedOutcome:
    """Train all candidates, choose, refit, evaluate once, judge, register and report.

    Parameters
    ----------
    force
        Train also where neither data nor settings nor code changed.
    """
    with running(pipeline.artifacts, "retrain") as note, the_only_retraining(pipeline):
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
        dataset = retraining.load(pipeline)
        repeated = None if force else unchanged_since(pipeline, dataset.source_sha256, opponent)
        if repeated:
            return SkippedOutcome(pipeline=pipeline.name, version=repeated)
        require_changeable(pipeline.artifacts)
        held_out = retraining.split(dataset, pipeline)
        prepared = retraining.normalise(dataset, held_out, pipeline)
        prepared = keep_contract(prepared, opponent, pipeline)
        stage("training")
        candidates = [
            retraining.train_candidate(
                prepared.training, pipeline, optimizer, on_epoch(optimizer, training.epochs)
            )
            for optimizer in pipeline.settings.optimizers.candidates()
        ]
        selection = select_best(candidates)
        stage(f"refitting {selection.winner}")
        refitted = retraining.refit(prepared.training, pipeline, selection, candidates)
        evaluation = retraining.evaluate(refitted, prepared, pipeline)
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
