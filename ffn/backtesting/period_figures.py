"""Realised figures of each period beside what was promised for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.backtesting.frequencies import NEVER
from ffn.backtesting.known_rows import KnownRows
from ffn.backtesting.schedules_plan import FEWEST_PERIODS, FEWEST_ROWS, SchedulesPlan
from ffn.backtesting.steps_of_walk import Answered, PastPromise, WalkStep
from ffn.backtesting.walk import Walked
from ffn.errors import quote
from ffn.evaluation.inference.groups_of_rows import grouped_share, values_of_groups
from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.inference.statistics import Interval, mean_interval, wilson
from ffn.quantities import counted, listed, more

__all__ = ["Period", "PeriodFigures", "Realised", "few_periods", "figures_of_periods"]

Array = npt.NDArray[Any]

_CLASSES_SHOWN = 3
_PERIODS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Realised:
    """Figures of one schedule in one period.

    Attributes
    ----------
    accuracy, log_loss
        On the rows of the period, with 95 % intervals for rows of that time.
    """

    accuracy: Interval
    log_loss: Interval


@dataclass(frozen=True, kw_only=True)
class Period:
    """Rows between two retrainings of the shortest schedule.

    Attributes
    ----------
    since
        When it begins; it ends where the next one begins.
    text
        The same for people.
    rows
        Rows that were judged.
    left_out
        Number of rows by the reason why they were not.
    why_not
        Why the whole period is left out; empty if it is judged.
    model_of
        When the model was made that the shortest schedule had in production.
    promise
        What that model promised.
    realised
        Figures by schedule, and of the newest model; empty for a period that is left out.
    """

    since: float
    text: str
    rows: int
    left_out: dict[str, int]
    why_not: str
    model_of: str
    promise: PastPromise | None
    realised: dict[str, Realised]


@dataclass(frozen=True, kw_only=True)
class PeriodFigures:
    """The periods, and the means by which schedules are compared.

    Attributes
    ----------
    periods
        All of them, in order.
    losses, hits
        Mean log-loss and share of correct rows of the judged periods [m], by schedule, and of the
        newest model. Probabilities are clipped as in every paired comparison of losses.
    """

    periods: tuple[Period, ...]
    losses: dict[str, Array]
    hits: dict[str, Array]

    @property
    def judged(self) -> tuple[Period, ...]:
        """The periods that were judged."""
        return tuple(one for one in self.periods if not one.why_not)


def figures_of_periods(
    history: KnownRows, plan: SchedulesPlan, walked: Walked, seed: int
) -> PeriodFigures:
    """Return the figures of every period.

    Parameters
    ----------
    history
        The rows of the table.
    plan
        When models were due.
    walked
        What became of them.
    seed
        Seed of the bootstrap.
    """
    answered = [one for one in walked.answered if len(one.rows)]
    if not answered:
        return PeriodFigures(periods=(), losses={}, hits={})
    begins = plan.periods(walked.origin)
    rows = np.concatenate([one.rows for one in answered])
    own = np.searchsorted(begins, history.times[rows], side="right") - 1
    judged = np.concatenate([one.judged for one in answered])
    reasons = _reasons(history, rows, answered)
    groups = None if history.groups is None else history.groups[rows]
    truth, right = (
        {
            name: np.concatenate([getattr(one, what)[name] for one in answered])
            for name in answered[0].truth
        }
        for what in ("truth", "right")
    )
    found = []
    for number, since in enumerate(begins):
        inside = own == number
        mine = np.flatnonzero(inside & judged)
        step = _in_production(walked, plan.schedules[0], since)
        why_not = _why_not(len(mine), int(inside.sum()))
        found.append(
            Period(
                since=since,
                text=history.text(since),
                rows=len(mine),
                left_out={
                    reason: int(count)
                    for reason, those in reasons.items()
                    if (count := np.count_nonzero(inside & those))
                },
                why_not=why_not,
                model_of=history.text(step.at),
                promise=step.promise,
                realised={}
                if why_not
                else {
                    name: _realised(
                        truth[name][mine],
                        right[name][mine],
                        None if groups is None else groups[mine],
                        seed,
                    )
                    for name in truth
                },
            )
        )
    kept = [np.flatnonzero((own == n) & judged) for n, one in enumerate(found) if not one.why_not]
    return PeriodFigures(
        periods=tuple(found),
        losses={
            name: np.array([float(_clipped(own_truth[mine]).mean()) for mine in kept])
            for name, own_truth in truth.items()
        },
        hits={
            name: np.array([float(own_right[mine].mean()) for mine in kept])
            for name, own_right in right.items()
        },
    )


def few_periods(history: KnownRows, walked: Walked, figures: PeriodFigures) -> str:
    """Return that too few periods can be judged, which, why and what to do, in one line.

    Parameters
    ----------
    history
        The rows of the table.
    walked
        What became of the models that were due.
    figures
        Of `figures_of_periods`, with fewer judged periods than are needed.
    """
    parts, advice = [], []
    judged = [f"that from {one.text} with {counted(one.rows, 'row')}" for one in figures.judged]
    parts += [listed(judged)] if judged else []
    before = [step for step in walked.steps if step.at < walked.origin]
    if before:
        last = before[-1]
        reason = last.problem or last.decisions[NEVER].reason
        parts.append(
            f"no model would have gone into production before {history.text(walked.origin)}, in "
            f"{counted(len(before), 'retraining')} (of that of {history.text(last.at)} is said: "
            f"{reason.rstrip('.')})"
        )
        advice.append("retrain more often")
    others = [one for one in figures.periods if one.why_not]
    for one in others[:_PERIODS_SHOWN]:
        counts = ", ".join(f"{n:,} {reason}" for reason, n in one.left_out.items())
        parts.append(
            f"not that from {one.text}: {one.why_not}" + (f" ({counts})" if counts else "")
        )
    if len(others) > _PERIODS_SHOWN:
        parts.append(f"nor {more(len(others) - _PERIODS_SHOWN, 'period')}")
    if any(one.rows + sum(one.left_out.values()) < FEWEST_ROWS for one in others):
        advice.append("retrain less often")
    if any(one.left_out for one in others):
        advice += ["begin later, when the first model knows more"]
    todo = ", ".join([*advice, "or add rows"]) if advice else "add rows"
    return (
        f"{counted(len(figures.judged), 'period')} can be judged, and {FEWEST_PERIODS} are needed: "
        f"{'; '.join(parts) or 'no row follows the first model'}. {todo[0].upper()}{todo[1:]}."
    )


def _realised(truth: Array, right: Array, groups: Array | None, seed: int) -> Realised:
    """Return the figures of some rows [n], as a retraining would state them."""
    losses = -np.log(np.maximum(truth, np.finfo(float).tiny))
    accuracy = (
        wilson(int(right.sum()), len(right)) if groups is None else grouped_share(right, groups)
    )
    return Realised(
        accuracy=accuracy, log_loss=mean_interval(values_of_groups(losses, groups), seed)
    )


def _clipped(truth: Array) -> Array:
    """Return the losses of rows by the probability of their label [n]."""
    return row_losses(truth[:, None], np.zeros(len(truth), dtype=np.int64))


def _in_production(walked: Walked, schedule: str, since: float) -> WalkStep:
    """Return the step whose model a schedule had in production in the period from ``since`` on."""
    last = max(step.number for step in walked.steps if step.at <= since)
    return walked.steps[walked.steps[last].production[schedule]]


def _why_not(judged: int, there: int) -> str:
    if judged >= FEWEST_ROWS:
        return ""
    if not there:
        return "it has no rows"
    which = "" if judged == there else f" of {there:,}"
    return f"{judged:,}{which} rows can be judged, and {FEWEST_ROWS} are needed"


def _reasons(history: KnownRows, rows: Array, answered: Sequence[Answered]) -> dict[str, Array]:
    """Return booleans [n] of the rows that are left out, by the reason."""
    rejected, unknown, related = (
        np.concatenate([getattr(one, name) for one in answered])
        for name in ("rejected", "unknown", "related")
    )
    names = [quote(history.classes[c]) for c in np.unique(history.labels[rows[unknown]])]
    shown = ", ".join(names[:_CLASSES_SHOWN])
    more = f" and {len(names) - _CLASSES_SHOWN} more" if len(names) > _CLASSES_SHOWN else ""
    return {
        f"of a class that a model had never seen ({shown}{more})": unknown,
        "of a group that a model was trained on": related & ~unknown,
        "rejected by a model": rejected & ~unknown & ~related,
    }
