"""The result of a backtest, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ffn.backtesting.period_figures import Period
from ffn.backtesting.schedules_compared import (
    Recommendation,
    ScheduleComparison,
    ScheduleFigures,
)
from ffn.backtesting.schedules_plan import FEWEST_ROWS
from ffn.backtesting.steps_of_walk import WalkStep
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.register import jsonable
from ffn.quantities import counted, difference, listed

__all__ = ["Backtest", "PromisesKept", "backtest_lines", "promises_kept"]


@dataclass(frozen=True, kw_only=True)
class PromisesKept:
    """In how many periods the realised figures were within the promised intervals.

    Attributes
    ----------
    periods
        Periods that were judged.
    accuracy, log_loss
        Within the interval for held-out rows.
    foretold
        Periods for which the model in production had foretold a later period.
    later_accuracy, later_log_loss
        Of these, within the prediction interval for a later period.
    """

    periods: int
    accuracy: int
    log_loss: int
    foretold: int
    later_accuracy: int
    later_log_loss: int

    @property
    def sentence(self) -> str:
        """The counts in a sentence."""
        said = (
            f"Of {counted(self.periods, 'period')}, the realised accuracy was within the promised "
            f"interval for held-out rows in {self.accuracy:,}, the log-loss in {self.log_loss:,}"
        )
        if self.foretold:
            of = "" if self.foretold == self.periods else f" of {self.foretold:,}"
            said += (
                "; within the prediction interval for a later period in "
                f"{self.later_accuracy:,}{of} and {self.later_log_loss:,}{of}"
            )
        return f"{said}."


@dataclass(frozen=True, kw_only=True, repr=False)
class Backtest:
    """What scheduled retraining would have done over the history of a table.

    Attributes
    ----------
    pipeline
        Name of the pipeline.
    time
        Header of the column of times.
    rows, unlabelled
        Rows of the table with a label, and without.
    window
        How far back training reached; None for the whole history.
    origin
        When the first model was made.
    schedules
        The schedules, the one that retrains most often first, ``never`` last.
    comparisons
        All pairs of them.
    gate
        The newest model, whatever the gate said of it, minus what the first schedule had in
        production: accuracy and log-loss, means over the periods with 95 % intervals.
    recommendation
        How often to retrain.
    kept
        Promises of the first schedule that were kept.
    steps
        The retrainings of all schedules, in order of time, with the time of each for people.
    periods
        The periods of the first schedule.
    seconds
        Wall time of this run.
    report
        Files by name; empty before they are written.
    """

    pipeline: str
    time: str
    rows: int
    unlabelled: int
    window: str | None
    origin: str
    schedules: tuple[ScheduleFigures, ...]
    comparisons: tuple[ScheduleComparison, ...]
    gate: dict[str, Interval]
    recommendation: Recommendation
    kept: PromisesKept
    steps: tuple[tuple[str, WalkStep], ...]
    periods: tuple[Period, ...]
    seconds: float = 0.0
    report: dict[str, Path] = field(default_factory=dict)

    @property
    def every(self) -> str:
        """The schedule that retrains most often, whose periods are judged."""
        return self.schedules[0].name

    @property
    def judged(self) -> tuple[Period, ...]:
        """The periods that were judged."""
        return tuple(one for one in self.periods if not one.why_not)

    def __str__(self) -> str:
        """Return the recommendation."""
        return f"{self.pipeline}: {self.recommendation.sentence}"

    def __repr__(self) -> str:
        return f"<Backtest of {self}>"

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "pipeline": self.pipeline,
            "time": self.time,
            "rows": self.rows,
            "unlabelled": self.unlabelled,
            "window": self.window,
            "first_model": self.origin,
            "recommended": self.recommendation.every,
            "difference_shown": self.recommendation.shown,
            "reason": self.recommendation.sentence,
            "schedules": jsonable(self.schedules),
            "comparisons": [
                {**jsonable(one), "better": one.better or None} for one in self.comparisons
            ],
            "newest_minus_production": jsonable(self.gate),
            "promises_kept": jsonable(self.kept),
            "periods": jsonable(self.periods),
            "retrainings": [{"time": text, **jsonable(step)} for text, step in self.steps],
            "seconds": round(self.seconds, 3),
            "report": {name: str(path) for name, path in self.report.items()},
        }


def promises_kept(periods: tuple[Period, ...], schedule: str) -> PromisesKept:
    """Count the promises that the rows of each period kept.

    Parameters
    ----------
    periods
        Judged periods.
    schedule
        The schedule whose models promised.
    """
    found = [(one.promise, one.realised[schedule]) for one in periods if one.promise is not None]

    def count(promised: str, realised: str) -> int:
        return sum(
            bounds.low <= getattr(figures, realised).value <= bounds.high
            for promise, figures in found
            if (bounds := getattr(promise, promised)) is not None
        )

    return PromisesKept(
        periods=len(found),
        accuracy=count("accuracy", "accuracy"),
        log_loss=count("log_loss", "log_loss"),
        foretold=sum(promise.later_accuracy is not None for promise, _ in found),
        later_accuracy=count("later_accuracy", "accuracy"),
        later_log_loss=count("later_log_loss", "log_loss"),
    )


def backtest_lines(found: Backtest) -> list[str]:
    """Return what a backtest found, in sentences, the recommendation first.

    Parameters
    ----------
    found
        The result.
    """
    return [found.recommendation.sentence, found.kept.sentence, *_remarks(found)]


def _remarks(found: Backtest) -> Iterator[str]:
    of_gate = found.gate["log_loss"]
    yield (
        f"With every new model in production, whatever the gate says, the log-loss would have been "
        f"different by {difference(of_gate)}."
        if of_gate.low or of_gate.high
        else "Whatever the gate said, the newest model would have given the same figures."
    )
    if found.unlabelled:
        yield f"{counted(found.unlabelled, 'row')} without a label took no part."
    left_out: dict[str, int] = {}
    for period in found.periods:
        for reason, count in period.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count
    if left_out:
        told = listed([f"{count:,} {reason}" for reason, count in left_out.items()])
        yield f"Rows that were not judged: {told}."
    for period in found.periods:
        if period.why_not:
            yield f"The period from {period.text} on is left out: {period.why_not}."
    for text, step in found.steps:
        if step.problem:
            yield f"No model at {text}: {step.problem}."
    pairs = len(found.comparisons)
    together = f" that hold for all {pairs} comparisons together (Bonferroni)" if pairs > 1 else ""
    yield (
        "The period is the unit of every comparison: means over periods of at least "
        f"{FEWEST_ROWS} rows, with Student's 95 % intervals{together}, which assume that "
        "differences of successive periods are not correlated."
    )
