"""The walk through the history of a table: retrain, let the gate judge, meet the next rows.

Judging forecasts on successively later rows, each time by what was known before them, is known as
rolling-origin evaluation (Tashman 2000, "Out-of-sample tests of forecasting accuracy"), and as
prequential evaluation (Dawid 1984; Gama, Sebastião and Rodrigues 2013).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.backtesting.frequencies import NEVER
from ffn.backtesting.known_rows import KnownRows
from ffn.backtesting.next_rows import ask_next
from ffn.backtesting.past_retraining import (
    PastRetraining,
    judge_past,
    past_pipeline,
    read_past,
    retrain_past,
    write_past,
)
from ffn.backtesting.schedules_plan import SchedulesPlan
from ffn.backtesting.steps_of_walk import (
    Answered,
    PastDecision,
    PastPromise,
    WalkStep,
    read_step,
    step_in_words,
    write_step,
)
from ffn.errors import DataError, FFNError, SettingsError
from ffn.pipelines.interruption import check
from ffn.pipelines.progress import notice, stage
from ffn.promotion.champion import Opponent
from ffn.quantities import counted
from ffn.registry.alpha_spending import LOOKS_FILE
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import staging_folder, sweep, sync_folder

__all__ = ["NEWEST", "Walked", "walk"]

Array = npt.NDArray[Any]

NEWEST = "newest"
"""The newest model, whatever the gate said of it."""

_TABLE, _GROUPS = "table", "groups.npy"


@dataclass(frozen=True, kw_only=True)
class Walked:
    """All steps of a backtest.

    Attributes
    ----------
    origin
        Time of the first model in production.
    steps
        The steps, in order of time; those before the origin gave no model for production.
    answered
        For each of them, the answers for the rows after it.
    """

    origin: float
    steps: tuple[WalkStep, ...]
    answered: tuple[Answered, ...]


def walk(pipeline: Pipeline, history: KnownRows, plan: SchedulesPlan, folder: Path) -> Walked:
    """Walk through the history, or go on where an interrupted walk ended.

    Parameters
    ----------
    pipeline
        The pipeline, of which nothing is changed.
    history
        The rows of its table.
    plan
        When to retrain.
    folder
        Where the steps are kept; it belongs to this table, these settings and this plan.

    Raises
    ------
    DataError
        No model of the past was let into production.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    return _Walk(pipeline, history, plan, folder).run()


class _PastModel(NamedTuple):
    """The model of a step, and the groups it was trained on; none if rows do not come in groups."""

    opponent: Opponent
    groups: Array


class _Walk:
    def __init__(
        self, pipeline: Pipeline, history: KnownRows, plan: SchedulesPlan, folder: Path
    ) -> None:
        self.pipeline, self.history, self.plan, self.folder = pipeline, history, plan, folder
        self.steps: list[WalkStep] = []
        self.answered: list[Answered] = []
        self._models: dict[int, _PastModel] = {}

    def run(self) -> Walked:
        origin = self._begin()
        due = self.plan.due(origin)
        notice(
            f"the first model is of {self.history.text(origin)}; "
            f"{counted(len(due), 'retraining')} of the past follow"
        )
        for at, until in zip(due, [*due, np.inf][1:], strict=True):
            self._take(at, until, due[at])
        return Walked(origin=origin, steps=tuple(self.steps), answered=tuple(self.answered))

    def _begin(self) -> float:
        """Return the first time at which a model goes into production."""
        for at in self.plan.starts:
            step = self._take(at, min(self.plan.due(at), default=np.inf), self.plan.schedules)
            if step.production:
                return at
        last = self.steps[-1]
        reason = last.problem or last.decisions[NEVER].reason
        raise DataError(
            f"{self.pipeline.name}: no model would have gone into production in "
            f"{counted(len(self.steps), 'retraining')} of the past; of the last one, at "
            f"{self.history.text(last.at)}, is said: {reason.rstrip('.')}. Begin later, or see "
            f"what this says: ffn retrain {self.pipeline.name}"
        )

    def _take(self, at: float, until: float, schedules: Sequence[str]) -> WalkStep:
        """Take the step at a time, or take it from where an interrupted walk kept it."""
        check()
        number = len(self.steps)
        place = self._place(number)
        found = read_step(place)
        if found is None:
            if place.exists():
                shutil.rmtree(place)
            stage(f"backtest, {self.history.text(at)}")
            with staging_folder(self.folder) as folder:
                found = self._make(number, at, until, schedules, folder)
                write_step(folder, *found)
                folder.rename(place)
            sync_folder(self.folder)
        step, answered = found
        self.steps.append(step)
        self.answered.append(answered)
        notice(f"{self.history.text(at)}: {step_in_words(step)}")
        return step

    def _make(
        self, number: int, at: float, until: float, schedules: Sequence[str], folder: Path
    ) -> tuple[WalkStep, Answered]:
        """Retrain on what was known at a time, let the gate judge, and meet the rows after it."""
        before = self.steps[-1] if self.steps else WalkStep(number=-1, at=-np.inf, rows=0)
        production, newest = dict(before.production), before.newest
        decisions: dict[str, PastDecision] = {}
        self._copy_looks(number - 1, folder)
        known = self.history.before(at)
        problem, made = "", None
        due = [name for name in schedules if self._is_new(known, name)]
        if not due:
            problem = "there were no new rows"
        else:
            try:
                made = retrain_past(
                    past_pipeline(self.pipeline, self.history, known, self.folder / _TABLE)
                )
            except FFNError as error:
                problem = self._said(error)
        if made is not None:
            decisions, problem = self._judge(number, made, production, due, folder)
            newest = newest if problem else number
        for name, decision in decisions.items():
            if decision.promoted:
                production[name] = number
        step = WalkStep(
            number=number,
            at=at,
            rows=int(np.count_nonzero(known)),
            tried=due,
            problem=problem,
            promise=PastPromise.of(made.fitted.evaluation) if made and not problem else None,
            decisions=decisions,
            production=production,
            newest=newest,
        )
        return step, self._meet(step, until)

    def _is_new(self, known: Array, schedule: str) -> bool:
        """Say whether a table is another one than a schedule last retrained on."""
        last = next((step for step in reversed(self.steps) if schedule in step.tried), None)
        return last is None or not np.array_equal(known, self.history.before(last.at))

    def _judge(
        self,
        number: int,
        made: PastRetraining,
        production: dict[str, int],
        schedules: Sequence[str],
        folder: Path,
    ) -> tuple[dict[str, PastDecision], str]:
        """Let the gate judge a model for each schedule, and write it.

        Returns the decisions, and why there is no model, if every schedule refuses its table.
        """
        decisions, verdicts, refusals = {}, [], []
        for name in schedules:
            opponent = self._model(production[name]).opponent if name in production else None
            looks = folder / f"gate-{name}"
            looks.mkdir(exist_ok=True)
            try:
                verdict = judge_past(made, opponent, looks)
            except (DataError, SettingsError) as error:
                refusals.append(self._said(error))
                decisions[name] = PastDecision(promoted=False, reason=refusals[-1])
                continue
            verdicts.append(verdict)
            decisions[name] = PastDecision(promoted=verdict.promote, reason=verdict.reason)
        if not verdicts:
            return decisions, refusals[0]
        write_past(made, verdicts[0], folder)
        groups = made.division.groups
        np.save(
            folder / _GROUPS,
            np.empty(0, dtype=np.uint64)
            if groups is None
            else np.unique(groups[made.division.training]),
        )
        self._models[number] = self._read_model(folder, number)
        return decisions, ""

    def _meet(self, step: WalkStep, until: float) -> Answered:
        """Return what the models in production, and the newest one, say of the rows that follow."""
        history, arms = self.history, dict(step.production)
        if arms and step.newest is not None:
            arms[NEWEST] = step.newest
        following = (history.times >= step.at) & (history.times < until)
        rows = np.flatnonzero(following) if arms else np.empty(0, dtype=np.int64)
        models = {number: self._model(number) for number in sorted({*arms.values()})}
        # The others have been replaced.
        self._models = dict(models)
        said = {
            number: ask_next(model.opponent.bundle, history, rows, self.pipeline)
            for number, model in models.items()
        }
        none = np.zeros(len(rows), dtype=bool)
        related = none.copy()
        if history.groups is not None:
            for model in models.values():
                related |= np.isin(history.groups[rows], model.groups)
        return Answered(
            rows=rows,
            truth={name: said[number].truth for name, number in arms.items()},
            right={name: said[number].right for name, number in arms.items()},
            rejected=np.logical_or.reduce([none, *(one.rejected for one in said.values())]),
            unknown=np.logical_or.reduce([none, *(one.unknown for one in said.values())]),
            related=related,
        )

    def _model(self, number: int) -> _PastModel:
        """Return the model of a step."""
        if number not in self._models:
            self._models[number] = self._read_model(self._place(number), number)
        return self._models[number]

    def _read_model(self, folder: Path, number: int) -> _PastModel:
        return _PastModel(
            read_past(self.pipeline, folder, number + 1),
            np.load(folder / _GROUPS, allow_pickle=False),
        )

    def _said(self, error: FFNError) -> str:
        """Return an error as a clause, with the name of the table in place of its copy's path."""
        copy = f"{self.folder / _TABLE / 'data'}{os.sep}"
        return str(error).replace(copy, "").rstrip(".")

    def _place(self, number: int) -> Path:
        return self.folder / f"{number:04d}"

    def _copy_looks(self, number: int, folder: Path) -> None:
        """Copy the gate's counts of comparisons as they were after a step, if there is one."""
        for looks in self._place(number).glob(f"gate-*/{LOOKS_FILE}") if number >= 0 else ():
            (folder / looks.parent.name).mkdir()
            shutil.copy(looks, folder / looks.parent.name / LOOKS_FILE)
