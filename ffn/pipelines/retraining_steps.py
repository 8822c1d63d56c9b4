"""Steps of a retraining, ordered in `ffn.pipelines.retraining`: what each takes, gives and logs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audited_columns import AuditedColumn
from ffn.auditing.split_audit import audit_split
from ffn.bundles.bundle import Bundle
from ffn.checkpoints.finished_candidates import FinishedCandidate, taken_in_words
from ffn.conformal.calibrate import calibrate_sets
from ffn.criteria.criterion import Criterion
from ffn.distillation.student_words import teachers_in_words
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.lineage.kept_data import keep_table
from ffn.pipelines import interruption
from ffn.pipelines.execution import Step
from ffn.pipelines.progress import Sink, on_epoch, trained
from ffn.promotion import gate, register
from ffn.promotion.champion import Opponent, Unreadable
from ffn.promotion.register import Version
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, interval
from ffn.registry.actor import Actor
from ffn.reports.baselines_section import baselines_sentence
from ffn.reports.model_card import model_card
from ffn.reports.retraining_report import Report, write_report
from ffn.scoring.canary import try_version
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training import candidate_training, examination, steps
from ffn.training.partition import TrainingPart
from ffn.training.retrained import Retrained
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.leaderboard import Selection
from ffn.training.selection.model_selection import select_best
from ffn.training.steps import Prepared, Refitted
from ffn.watching.publication import Publication
from ffn.watching.snapshots import REFITTING

__all__ = [
    "AUDIT",
    "DECIDE",
    "EVALUATE",
    "EXAMINE",
    "EXPORT",
    "KEEP",
    "LEAKS",
    "LOAD",
    "NORMALISE",
    "PROMOTE",
    "REFIT",
    "REPORT",
    "SELECT",
    "SERIALISE",
    "SPLIT",
    "TRAIN",
    "train",
]


def train(
    optimizer: str,
    part: TrainingPart,
    pipeline: Pipeline,
    stop: int | None = None,
    sink: Sink | None = None,
    elsewhere: candidate_training.Elsewhere | None = None,
) -> Candidate:
    """Train one optimizer's networks, or take them from a retraining that was interrupted.

    Parameters
    ----------
    optimizer
        Name of the candidate: of an optimizer, or with ``[search]`` of a combination.
    part
        The training part.
    pipeline
        Settings and folders.
    stop
        On how many resamples to train it, where a race looks at it; by default on all.
    sink
        Receives the progress besides all listeners; by default nothing else does.
    elsewhere
        Trains on another machine; by default this one does.
    """
    epochs, k = pipeline.settings.training.epochs, pipeline.settings.training.networks
    done = epochs * (stop or k) // k
    report = on_epoch(optimizer, epochs, *([sink] if sink else []))
    finished = FinishedCandidate(part, pipeline, optimizer, stop)
    if (found := finished.read()) is not None:
        report(done)
        trained(found)
        return found
    what = part, pipeline, optimizer, stop, finished.earlier()
    if elsewhere is not None:
        candidate, networks = elsewhere(*what, interruption.check)
    else:
        published = Publication(pipeline.artifacts, optimizer, part.entry.path.name)
        candidate, networks = candidate_training.train_until(*what, report, published)
    report(done)
    trained(candidate)
    finished.write(candidate, networks)
    return candidate


def _keep(dataset: Dataset, pipeline: Pipeline) -> tuple[Path, ...]:
    """Keep the training table, and the file of held-out rows, unless the settings say not to."""
    if not pipeline.settings.data.keep:
        return ()
    tables = [(dataset.path, dataset.source_sha256)]
    if dataset.test_path is not None and dataset.test_sha256 is not None:
        tables.append((dataset.test_path, dataset.test_sha256))
    return tuple(keep_table(source, pipeline.artifacts, sha256) for source, sha256 in tables)


def _refit(
    part: TrainingPart, pipeline: Pipeline, selection: Selection, candidates: list[Candidate]
) -> Refitted:
    published = Publication(pipeline.artifacts, REFITTING, part.entry.path.name)
    return steps.refit(part, pipeline, selection, candidates, observe=published)


def _audit(
    columns: Sequence[AuditedColumn],
    division: Division,
    prepared: Prepared,
    refitted: Refitted,
    pipeline: Pipeline,
) -> SplitAudit | None:
    """Audit the split, which an interruption ends."""
    report = on_epoch("audit", refitted.epochs)
    return audit_split(columns, division, prepared, refitted, pipeline, report)


def _serialise(
    retrained: Retrained,
    dataset: Dataset,
    division: Division,
    verdict: Verdict,
    by: Actor,
    seconds: float,
) -> Version:
    """Write the new version, try it in a fresh process, and describe it."""
    judge = partial(
        try_version,
        verdict=verdict,
        bundle=retrained.refitted.bundle,
        dataset=dataset,
        held_out=division.held_out,
    )
    describe = partial(model_card, retrained=retrained)
    return register.serialise(retrained, judge, describe, by=by, seconds=seconds)


def _export(bundle: Bundle, pipeline: Pipeline) -> Path:
    # scikit-learn, which many runs do not come to need.
    from ffn.scoring.export import export_for_notebooks

    return export_for_notebooks(bundle, pipeline)


LOAD: Step[[Pipeline], Dataset] = Step(
    "load",
    steps.load,
    lambda dataset, pipeline: f"{counted(dataset.rows, 'row')} of {pipeline.shown_source}",
)
KEEP: Step[[Dataset, Pipeline], tuple[Path, ...]] = Step(
    "keep-data",
    _keep,
    lambda paths, *_: (
        f"training table kept: {', '.join(map(str, paths))}" if paths else "training table not kept"
    ),
    writes=True,
)
SPLIT: Step[[Dataset, Pipeline], Division] = Step(
    "split",
    steps.split,
    lambda found, *_: (
        f"{found.held_out.sum():,} of {counted(len(found.held_out), 'row')} held out"
        f"{f', {found.neither:,} in neither part' if found.neither else ''}"
    ),
)
NORMALISE: Step[[Dataset, Division, Pipeline], Prepared] = Step(
    "normalise",
    steps.normalise,
    lambda made, *_: f"{counted(made.preparation.n_inputs, 'input')}; {made.notices or 'all used'}",
)
LEAKS: Step[[Dataset, Division, Prepared, Pipeline], Prepared] = Step(
    "find-leaks",
    steps.look_for_leaks,
    lambda found, *_: f"{counted(len(found.leaks), 'leak')} found",
)
TRAIN: Step[[str, TrainingPart, Pipeline, int | None], Candidate] = Step(
    "train",
    train,
    lambda candidate, *_: (
        taken_in_words(candidate)
        if candidate.taken
        else f"{candidate.optimizer}: trained in {candidate.seconds:.2f} s"
    ),
    activity="training",
    label="train-{optimizer}",
    # The other optimizers may still give a model.
    spares=(Exception,),
    told=trained,
)
SELECT: Step[[list[Candidate], Criterion | None, bool], Selection] = Step(
    "select-best", select_best, lambda chosen, *_: chosen.reason
)
REFIT: Step[[TrainingPart, Pipeline, Selection, list[Candidate]], Refitted] = Step(
    "refit",
    _refit,
    lambda refitted, *_: (
        f"{teachers_in_words(refitted.student)} distilled into one"
        if refitted.student
        else f"{refitted.bundle.optimizer} refitted for {counted(refitted.epochs, 'epoch')}"
    ),
    label="refit-{selection.winner}",
)
CALIBRATE: Step[[Refitted, Dataset, Division, Pipeline], Refitted] = Step(
    "calibrate-sets",
    calibrate_sets,
    lambda refitted, *_: (
        f"label sets calibrated on {counted(refitted.decision.calibration_rows, 'row')}"
        if refitted.decision
        else "no label sets"
    ),
)
EVALUATE: Step[[Refitted, Prepared, Pipeline], HeldOutEvaluation] = Step(
    "evaluate",
    steps.evaluate,
    lambda found, *_: (
        f"accuracy {interval(found.accuracy)}, ROC-AUC {interval(found.auc)} on {found.judges}"
    ),
)
EXAMINE: Step[[Dataset, Division, Prepared, Refitted, Pipeline], examination.Examination] = Step(
    "examine",
    examination.examine,
    lambda found, _dataset, _division, prepared, *_: baselines_sentence(
        found.baselines, found.rows, prepared.held_out.rows
    ),
)
AUDIT: Step[
    [Sequence[AuditedColumn], Division, Prepared, Refitted, Pipeline],
    SplitAudit | None,
] = Step(
    "audit",
    _audit,
    lambda found, *_: (
        f"{counted(len(found.columns), 'column')} kept apart: "
        f"{sum(one.matters for one in found.columns):,} shown to matter"
        if found
        else "no column to keep apart"
    ),
)
DECIDE: Step[
    [
        Pipeline,
        Dataset,
        Division,
        Prepared,
        Refitted,
        HeldOutEvaluation,
        examination.Examination,
        Opponent | Unreadable | None,
        SplitAudit | None,
    ],
    Verdict,
] = Step(
    "decide",
    gate.decide,
    lambda verdict, *_: (
        f"{'promote' if verdict.promote else 'keep back'}: {verdict.reason}"
        f"{f'. {verdict.warnings}' if verdict.warnings else ''}"
    ),
)
SERIALISE: Step[[Retrained, Dataset, Division, Verdict, Actor, float], Version] = Step(
    "serialise",
    _serialise,
    lambda version, *_: f"version {version.number}, bundle {version.sha256}",
    writes=True,
)
EXPORT: Step[[Bundle, Pipeline], Path] = Step(
    "export", _export, lambda path, *_: f"export for notebooks: {path}", writes=True
)
REPORT: Step[[Retrained, Version], Report] = Step(
    "report", write_report, lambda report, *_: f"report: {report.html}", writes=True
)
PROMOTE: Step[[Pipeline, Version, Actor], Version] = Step(
    "promote",
    register.promote_version,
    lambda version, *_: version.verdict.sentence(version.number),
    writes=True,
)
