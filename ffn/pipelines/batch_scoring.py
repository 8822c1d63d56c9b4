"""Score given files, as a step that any executor can run.

`score` runs it in this process; the score flow runs the same step as Prefect tasks. This module
does not import what only retraining needs, because that would take ten times as long: a few rows
are scored within a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ffn.blas_threads import one_blas_thread
from ffn.errors import FFNError, SettingsError, did_you_mean, quote
from ffn.object_stores.object_address import ObjectAddress
from ffn.pipelines.execution import Executor, InProcess, Step
from ffn.pipelines.interruption import check
from ffn.pipelines.outcomes import Refusal, ScoreOutcome
from ffn.pipelines.progress import Sink, notice, on_block, stage
from ffn.quantities import counted
from ffn.registry.run_log import running
from ffn.scoring.inputs import FileToScore, output_name
from ffn.scoring.model import Model, load
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.output.targets import SHADOW_COMPANIONS
from ffn.scoring.own_options import own_options
from ffn.scoring.score_file import score_csv
from ffn.settings.pipeline import Pipeline
from ffn.storage.real_path import real_path

if TYPE_CHECKING:
    from ffn.scoring.inbox.scored_by_hand import ScoredByHand
    from ffn.scoring.partitioned.scoring_elsewhere import ScoringElsewhere
    from ffn.shadow.shadow_scoring import ShadowPass

__all__ = [
    "SCORE_FILE",
    "beside_production",
    "kept_for_outcomes",
    "options_for",
    "score",
    "score_one",
    "score_steps",
]

_BOOLEAN, _TEXT = (bool, "True or False"), (str, "a text")
_KINDS: dict[str, tuple[type, str]] = {
    "workers": (int, "a whole number from 1 up"),
    "force": _BOOLEAN,
    "partitioned": _TEXT,
    "probabilities": _BOOLEAN,
    "max_reject_rate": (Real, "a share from 0 to 1"),
    **dict.fromkeys(("delimiter", "decimal", "encoding", "on_unknown", "only_id"), _TEXT),
    "escape_formulas": _BOOLEAN,
    "drift": _TEXT,
    "drift_psi": (Real, "a number above 0"),
    "drift_min_rows": (int, "a count of rows"),
    "explain": (int, "a number of reasons from 0 up"),
}


def score_one(
    file: FileToScore,
    model: Model,
    options: Mapping[str, Any],
    elsewhere: ScoringElsewhere | None = None,
    sink: Sink | None = None,
) -> ScoreResult:
    """Score one file.

    Parameters
    ----------
    file
        The input and its output.
    model
        The model.
    options
        Result of `options_for`.
    elsewhere
        Machines that score what is long; by default this one does.
    sink
        Receives the progress in addition to all listeners; None for no such.
    """
    options = {**options, "on_progress": on_block(file.source, *([sink] if sink else []))}
    if "partitioned" in options:
        # Imported here, because most runs do not need it, and scoring has to start quickly.
        from ffn.scoring.partitioned.score_dataset import score_dataset

        parts = elsewhere.score_parts if elsewhere else None
        return score_dataset(model.scorer, *file[:2], elsewhere=parts, **options)
    ranges = elsewhere.score_ranges if elsewhere else None
    return score_csv(model.scorer, *file[:2], elsewhere=ranges, name=file.name, **options)


_Chosen = Mapping[str, Any]
SCORE_FILE: Step[[FileToScore, Model, _Chosen, ScoringElsewhere | None], ScoreResult] = Step(
    "batch-predict",
    score_one,
    lambda result, *_: f"{counted(result.scored, 'row')} scored, {result.rejected:,} rejected",
    label="batch-predict-{file.source.name}",
    spares=(FFNError,),
)


def options_for(pipeline: Pipeline, **asked: Any) -> dict[str, Any]:
    """Return the options of scoring: those given, and otherwise those of the pipeline's settings.

    Parameters
    ----------
    pipeline
        The pipeline.
    **asked
        ``workers`` and ``force`` as for `ffn.scoring.score_file.score_csv`, ``partitioned`` as
        ``form`` for `ffn.scoring.partitioned.score_dataset.score_dataset`, and all of
        `ffn.scoring.rows.options.Options`; None for the value in the settings.

    Raises
    ------
    SettingsError
        There is no such option, or its value has the wrong type.
    """
    for name in sorted(asked.keys() - _KINDS.keys()):
        raise SettingsError(
            f"scoring has no option {quote(name)}.{did_you_mean(name, _KINDS)} "
            f"There are: {', '.join(_KINDS)}."
        )
    given = {name: value for name, value in asked.items() if value is not None}
    for name, value in given.items():
        kind, wanted = _KINDS[name]
        # Python's booleans are integers, but True is not meant as a number here.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise SettingsError(f"{name} is {quote(value)}; give {wanted}.")
    if given.get("workers", 1) < 1:
        raise SettingsError(f"workers is {given['workers']}; give a whole number from 1 up.")
    return own_options(pipeline) | given


def score(
    pipeline: Pipeline,
    files: Sequence[FileToScore],
    options: Mapping[str, Any],
    elsewhere: ScoringElsewhere | None = None,
) -> ScoreOutcome:
    """Score files with the version in production, without a scheduler.

    Parameters
    ----------
    pipeline
        The pipeline.
    files
        The inputs and their outputs.
    options
        Result of `options_for`. Several files are divided among ``workers`` processes; a single
        one is scored by all of them.
    elsewhere
        As for `score_one`; several files then follow one another.
    """
    with running(pipeline.artifacts, "score") as note, one_blas_thread():
        model = load(pipeline.artifacts)
        executor: Executor = InProcess()
        workers = options.get("workers", 1)
        if workers > 1 and len(files) > 1 and elsewhere is None:
            # Importing it takes longer than scoring a small file.
            from ffn.pipelines.worker_processes import WorkerProcesses, model_to_send

            executor, model = WorkerProcesses(workers), model_to_send(model)
            options = {**options, "workers": 1}
        outcome = score_steps(model, pipeline, files, options, executor, elsewhere)
        note.outcome, note.version, note.text = outcome.note()
        note.drift = outcome.drift_note
    return outcome


def score_steps(
    model: Model,
    pipeline: Pipeline,
    files: Sequence[FileToScore],
    options: Mapping[str, Any],
    executor: Executor,
    elsewhere: ScoringElsewhere | None = None,
) -> ScoreOutcome:
    """Score each file with one model; a refused file does not prevent the others.

    Parameters
    ----------
    model
        The model.
    pipeline
        The pipeline.
    files
        The inputs and their outputs.
    options
        Result of `options_for`.
    executor
        Runs the step.
    elsewhere
        As for `score_one`.
    """
    stage("scoring")
    if options.get("explain"):
        from ffn.durations.explaining_time import explaining_sentence

        where = [file.source for file in files], options.get("workers", 1)
        if told := explaining_sentence(model.scorer, *where):
            notice(told)
    by_hand = _in_inbox(pipeline, files)
    done = executor.run_each(SCORE_FILE, files, model, options, elsewhere)
    if by_hand is not None:
        by_hand.record(model.version, [result.manifest for result in done.results])
    return ScoreOutcome(
        pipeline=pipeline.name,
        version=model.version,
        results=done.results,
        refusals=[Refusal.of(file.shown, error) for file, error in done.failures],
        not_taken_up=kept_for_outcomes(pipeline, done.results),
        shadow=beside_production(pipeline, done.results),
    )


def _in_inbox(pipeline: Pipeline, files: Sequence[FileToScore]) -> ScoredByHand | None:
    """Return those of the files that the inbox's pass would put where they go, as they are now."""
    inbox, predictions = real_path(pipeline.folder / "inbox"), real_path(pipeline.predictions)
    # Inputs and outputs are named in full, and the inbox itself may be a link.
    names = {
        source.name
        for source, output, _ in files
        if source.parent == inbox and output == predictions / output_name(source.name)
    }
    if not names or pipeline.settings.inbox.move:
        return None
    # Imported here, because it needs the ledger, and scoring has to start quickly.
    from ffn.scoring.inbox.scored_by_hand import ScoredByHand

    return ScoredByHand.of(pipeline, names)


def kept_for_outcomes(pipeline: Pipeline, results: Sequence[ScoreResult]) -> tuple[str, ...]:
    """Record predictions for the labels that come later, if the pipeline's rows have ids.

    An output may be replaced by that of the next version before its labels come.

    Parameters
    ----------
    pipeline
        The pipeline.
    results
        The scored files.

    Returns
    -------
    tuple of str
        Why files were not recorded, a sentence each; empty without ``outcomes.id``.
    """
    if pipeline.settings.outcomes.id is None or not results:
        return ()
    # Imported here, because most pipelines do not need it, and scoring has to start quickly.
    from ffn.monitoring.conclusion import rollback_target
    from ffn.monitoring.record.taking_up import take_up_objects, take_up_scored

    stage("recording the predictions")
    near = [result for result in results if not isinstance(result.output, ObjectAddress)]
    far = [one.output for one in results if isinstance(one.output, ObjectAddress)]
    try:
        predecessor = rollback_target(pipeline)
        told = take_up_scored(pipeline, [result.manifest for result in near], predecessor)
        return (*told, *take_up_objects(pipeline, far, predecessor))
    except (FFNError, OSError) as error:
        # The files are scored, and what is in the pipeline's folder is taken up later.
        return (str(error),)


def beside_production(pipeline: Pipeline, results: Sequence[ScoreResult]) -> ShadowPass | None:
    """Let challengers score the same rows, if the settings ask for it.

    The outputs stay as they are. What challengers said of an earlier output of the same name is
    removed.

    Parameters
    ----------
    pipeline
        The pipeline.
    results
        The scored files.
    """
    asked = pipeline.settings.shadow.count > 0
    if any(result.parts for result in results):
        return None
    if not asked and not any(
        result.output.with_name(result.output.name + SHADOW_COMPANIONS[1]).exists()
        for result in results
        if not result.unchanged
    ):
        return None
    # Imported here, because most pipelines do not need it, and scoring has to start quickly.
    from ffn.shadow.shadow_scoring import score_in_shadow

    if asked:
        stage("scoring beside production")
    return score_in_shadow(pipeline, results, check)
