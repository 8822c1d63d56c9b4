"""Backtest a pipeline: walk through the history of its table, and say what came of it."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ffn.backtesting.backtest_report import backtest_folder, write_backtest
from ffn.backtesting.backtest_result import Backtest, promises_kept
from ffn.backtesting.frequencies import read_frequencies, read_length
from ffn.backtesting.known_rows import KnownRows, read_known_rows
from ffn.backtesting.period_figures import PeriodFigures, few_periods, figures_of_periods
from ffn.backtesting.schedules_compared import (
    ScheduleFigures,
    compare_schedules,
    mean_of_periods,
    recommend,
)
from ffn.backtesting.schedules_plan import FEWEST_PERIODS, SchedulesPlan, plan_schedules
from ffn.backtesting.walk import NEWEST, Walked, walk
from ffn.blas_threads import one_blas_thread
from ffn.errors import DataError, SettingsError, quote
from ffn.evaluation.inference.statistics import Interval
from ffn.pipelines.api import pipeline_at
from ffn.pipelines.progress import stage
from ffn.registry.provenance import circumstances
from ffn.settings.pipeline import SETTINGS_FILE, Pipeline
from ffn.storage.documents import canonical_json
from ffn.storage.pipeline_locks import backtest_lock
from ffn.tabular.training_table.split_checks import check_split_columns
from ffn.training.steps import load

__all__ = ["backtest", "run_backtest"]

_FORMAT = 1
_STEPS = "steps"


def backtest(
    pipeline: str | os.PathLike[str],
    *,
    every: str | Sequence[str] = "1mo",
    first: str | None = None,
    window: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Backtest:
    """Say what scheduled retraining would have done over a table's history: ``ffn backtest``.

    Nothing is registered, promoted or counted: the pipeline scores as before.

    Parameters
    ----------
    pipeline, root
        As for `ffn.retrain`.
    every
        How often to retrain, such as ``"1mo"``; or several to compare, in a list or with commas
        between them. Hours, days, weeks, months and years (``h``, ``d``, ``w``, ``mo``, ``y``), or
        a number where the times are numbers. Never retraining is always compared. By default a
        month, the most usual schedule.
    first
        History before the first model, such as ``"1y"``. None, the default: until half of the rows
        are known.
    window
        How far back every training reaches. None, the default: the whole history, as retraining
        has it.

    Returns
    -------
    Backtest
        The schedules, their realised figures by period beside what was promised, and a
        recommendation. It prints as one sentence, and has ``to_json()``.

    Raises
    ------
    FFNError
        There is nothing to walk through: no ``split.time``, too few periods, or no model that the
        gate would have let into production.
    """
    return run_backtest(pipeline_at(pipeline, root), every=every, first=first, window=window)


def run_backtest(
    pipeline: Pipeline,
    *,
    every: str | Sequence[str] = "1mo",
    first: str | None = None,
    window: str | None = None,
) -> Backtest:
    """Backtest a pipeline in this process; see `backtest`.

    Parameters
    ----------
    pipeline
        The pipeline.
    every, first, window
        As for `backtest`.

    Raises
    ------
    BusyError
        Another process backtests this pipeline.
    DataError
        The table has too few periods, or no model would have gone into production.
    SettingsError
        The settings name no column of times, or a frequency is none.
    """
    started = time.perf_counter()
    settings = pipeline.settings
    _check_settings(pipeline)
    with backtest_lock(pipeline.artifacts), one_blas_thread():
        stage("reading the data")
        folder = backtest_folder(pipeline)
        dataset = load(replace(pipeline, artifacts=folder))
        check_split_columns(dataset, settings.split.embargo)
        kind = dataset.time_kind or "number"
        frequencies = read_frequencies(every, kind)
        begin = None if first is None else read_length("first (--from)", first, kind)
        back = None if window is None else read_length("window", window, kind)
        history = read_known_rows(pipeline, dataset, back)
        plan = plan_schedules(pipeline, history, frequencies, begin)
        place = folder / _STEPS / _digest(pipeline, history, plan)
        _forget_others(place)
        walked = walk(pipeline, history, plan, place)
        figures = figures_of_periods(history, plan, walked, settings.training.seed)
        if len(figures.judged) < FEWEST_PERIODS:
            told = few_periods(history, walked, figures)
            raise DataError(f"{pipeline.name}: {told}")
        found = _result(pipeline, history, plan, walked, figures)
        found = replace(found, seconds=time.perf_counter() - started)
        found = write_backtest(found, folder)
        for left in (_STEPS, "cache"):
            shutil.rmtree(folder / left, ignore_errors=True)
    return found


def _check_settings(pipeline: Pipeline) -> None:
    """Refuse a pipeline whose settings leave nothing to walk through."""
    settings, where = pipeline.settings, pipeline.folder / SETTINGS_FILE
    if settings.split.time is None:
        raise SettingsError(
            f"{where}: a backtest needs to know when each row was; name the column of its time: "
            'time = "COLUMN" in [split].'
        )
    if settings.split.test is not None:
        raise SettingsError(
            f"{where}: split.test names {quote(settings.split.test)}, and a backtest holds out the "
            "latest rows known at each step. Take it out for the backtest."
        )
    if settings.data.weight is not None:
        raise SettingsError(
            f"{where}: data.weight names {quote(settings.data.weight)}, and a backtest counts all "
            "rows of a period alike, unlike the promises. Take it out for the backtest."
        )
    if settings.gate.mode == "never":
        raise SettingsError(
            f'{where}: gate.mode is "never", so no schedule would ever have a model in production. '
            "Choose another mode for the backtest."
        )


def _digest(pipeline: Pipeline, history: KnownRows, plan: SchedulesPlan) -> str:
    """Return a digest of all that determines the steps."""
    settings = pipeline.settings
    made_of = {
        "format": _FORMAT,
        "source": history.source_sha256,
        "settings": settings.model_dump(
            mode="json", exclude={"schedule", "inbox", "notify", "outcomes"}
        ),
        "schedules": plan.schedules,
        "starts": list(plan.starts),
        "window": None if history.window is None else history.window.text,
        "circumstances": circumstances(),
    }
    return hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]


def _forget_others(place: Path) -> None:
    """Remove the steps of other backtests of the pipeline that were interrupted."""
    for other in place.parent.iterdir() if place.parent.is_dir() else ():
        if other != place:
            shutil.rmtree(other, ignore_errors=True)


def _result(
    pipeline: Pipeline,
    history: KnownRows,
    plan: SchedulesPlan,
    walked: Walked,
    figures: PeriodFigures,
) -> Backtest:
    comparisons = compare_schedules(plan.schedules, figures.losses, figures.hits)
    first = plan.schedules[0]
    return Backtest(
        pipeline=pipeline.name,
        time=str(pipeline.settings.split.time),
        rows=len(history.times),
        unlabelled=history.unlabelled,
        window=None if history.window is None else history.window.text,
        origin=history.text(walked.origin),
        schedules=tuple(_schedule(name, walked, figures) for name in plan.schedules),
        comparisons=tuple(comparisons),
        gate={
            name: mean_of_periods(values[NEWEST] - values[first])
            for name, values in (("accuracy", figures.hits), ("log_loss", figures.losses))
        },
        recommendation=recommend(plan.frequencies, comparisons, len(figures.judged)),
        kept=promises_kept(figures.judged, first),
        steps=tuple((history.text(step.at), step) for step in walked.steps),
        periods=figures.periods,
    )


def _schedule(name: str, walked: Walked, figures: PeriodFigures) -> ScheduleFigures:
    after = [
        step
        for step in walked.steps
        if step.at > walked.origin and name in step.decisions and not step.problem
    ]
    return ScheduleFigures(
        name=name,
        retrainings=len(after),
        promotions=sum(step.decisions[name].promoted for step in after),
        accuracy=_within(mean_of_periods(figures.hits[name]), 0.0, 1.0),
        log_loss=_within(mean_of_periods(figures.losses[name]), 0.0, math.inf),
    )


def _within(figure: Interval, low: float, high: float) -> Interval:
    """Return an interval cut to the values that its figure can have."""
    return Interval(figure.value, max(figure.low, low), min(figure.high, high))
