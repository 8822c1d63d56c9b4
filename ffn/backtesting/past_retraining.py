"""A retraining as it would have been at some point in the past: the pipeline's own steps and gate.

Nothing is registered in the pipeline: table, inputs and models are in a folder of the backtest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audited_columns import choose_audited
from ffn.backtesting.known_rows import KnownRows
from ffn.evaluation.importance import Importance
from ffn.pipelines.execution import InProcess
from ffn.pipelines.retraining import Fitted, fit, prepare
from ffn.pipelines.retraining_steps import AUDIT, DECIDE, EXAMINE, LOAD
from ffn.promotion.champion import Opponent, read_version
from ffn.promotion.register import serialise
from ffn.promotion.table_contract import keep_contract
from ffn.promotion.verdict import Verdict
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.examination import Examination
from ffn.training.retrained import Retrained
from ffn.training.steps import Prepared

__all__ = [
    "PastRetraining",
    "judge_past",
    "past_pipeline",
    "read_past",
    "retrain_past",
    "write_past",
]

Array = npt.NDArray[Any]

# The only version of its folder.
_NUMBER = 1


@dataclass(frozen=True, kw_only=True)
class PastRetraining:
    """Results of all steps of a retraining before the gate.

    Attributes
    ----------
    pipeline
        The settings, with the table of the past and a folder of the backtest.
    dataset, division, prepared
        The table, the two sides of its rows, and their inputs.
    fitted
        The model, with its figures on the held-out rows.
    examination
        Its comparison with simpler models, if that can keep it back; otherwise empty.
    audit
        What its figures owe to columns that are not kept apart, if that can keep it back.
    """

    pipeline: Pipeline
    dataset: Dataset
    division: Division
    prepared: Prepared
    fitted: Fitted
    examination: Examination
    audit: SplitAudit | None


def past_pipeline(pipeline: Pipeline, history: KnownRows, rows: Array, folder: Path) -> Pipeline:
    """Write the table of the past, and return the pipeline with it.

    Parameters
    ----------
    pipeline
        The pipeline.
    history
        The rows of its training table.
    rows
        Booleans [N]: rows that were known.
    folder
        Where table and cache are written.
    """
    name = Path(pipeline.settings.data.source).name
    history.write(rows, folder / "data" / name)
    # A file of its own, whatever the rows came from; the records are written in UTF-8.
    changed = {"source": name, "query": None, "encoding": None}
    data = pipeline.settings.data.model_copy(update=changed)
    return Pipeline(
        name=pipeline.name,
        settings=pipeline.settings.model_copy(update={"data": data}),
        folder=folder / "data",
        artifacts=folder / pipeline.name,
    )


def retrain_past(pipeline: Pipeline) -> PastRetraining:
    """Run the steps of a retraining before the gate.

    Of the steps that only tell something, none is run: the leaks, the importance of the features,
    and simpler models and the split audit where the settings keep nothing back for them.

    Parameters
    ----------
    pipeline
        Of `past_pipeline`.

    Raises
    ------
    DataError, SettingsError, TrainingError
        The table cannot be trained on, as `ffn.pipelines.retraining.retrain` would say.
    """
    executor, settings = InProcess(), pipeline.settings
    dataset = executor.run(LOAD, pipeline)
    division, prepared = prepare(pipeline, dataset, executor)
    fitted = fit(pipeline, prepared, executor, dataset, division)
    examination, audit = _NOTHING_EXAMINED, None
    if settings.gate.baseline == "refuse":
        examination = executor.run(EXAMINE, dataset, division, prepared, fitted.refitted, pipeline)
    if settings.split.audit == "refuse":
        audited = choose_audited(dataset, division, pipeline)
        audit = executor.run(AUDIT, audited, division, prepared, fitted.refitted, pipeline)
    return PastRetraining(
        pipeline=pipeline,
        dataset=dataset,
        division=division,
        prepared=prepared,
        fitted=fitted,
        examination=examination,
        audit=audit,
    )


_NOTHING_EXAMINED = Examination(
    rows=0,
    baselines=(),
    importance=Importance(features=(), left_out=0, rows=0, repeats=0),
    mistakes=(),
    temperature=None,
)


def judge_past(made: PastRetraining, opponent: Opponent | None, looks: Path) -> Verdict:
    """Let the gate judge a model of the past against the version in production then.

    Parameters
    ----------
    made
        The retraining.
    opponent
        The version in production then; None if there was none.
    looks
        Folder with the gate's count of comparisons until then, which is brought up to date.

    Raises
    ------
    DataError
        The table differs from production's in what ``[contract]`` refuses.
    """
    prepared = keep_contract(made.prepared, opponent, made.pipeline)
    return InProcess().run(
        DECIDE,
        replace(made.pipeline, artifacts=looks),
        made.dataset,
        made.division,
        prepared,
        made.fitted.refitted,
        made.fitted.evaluation,
        made.examination,
        opponent,
        made.audit,
    )


def write_past(made: PastRetraining, verdict: Verdict, folder: Path) -> None:
    """Write a model of the past, as a retraining registers one, into a folder of its own.

    Parameters
    ----------
    made
        The retraining.
    verdict
        What the gate said of it.
    folder
        Where to write.
    """
    fitted = made.fitted
    retrained = Retrained(
        pipeline=replace(made.pipeline, artifacts=folder / made.pipeline.name),
        prepared=made.prepared,
        candidates=fitted.candidates,
        selection=fitted.selection,
        refitted=fitted.refitted,
        evaluation=fitted.evaluation,
        examination=made.examination,
    )
    serialise(retrained, lambda _: verdict, lambda *_: "")


def read_past(pipeline: Pipeline, folder: Path, number: int) -> Opponent:
    """Read what `write_past` wrote, with all that the gate has to know of a version.

    Parameters
    ----------
    pipeline
        The pipeline.
    folder
        Where it was written.
    number
        What the version is called in the gate's reasons.
    """
    found = read_version(folder / pipeline.name, _NUMBER)
    return replace(found, bundle=replace(found.bundle, version=number))
