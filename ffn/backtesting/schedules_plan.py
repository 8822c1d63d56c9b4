"""When models are due: the steps of all schedules, and the periods that judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ffn.backtesting.frequencies import NEVER, Frequency
from ffn.backtesting.known_rows import KnownRows
from ffn.errors import DataError, quote
from ffn.quantities import counted, more
from ffn.settings.pipeline import Pipeline

__all__ = ["FEWEST_PERIODS", "FEWEST_ROWS", "SchedulesPlan", "plan_schedules"]

FEWEST_PERIODS = 4
"""With fewer, the spread between periods is hardly known: Student's quantile is 4.3 for three."""

FEWEST_ROWS = 25
"""So many rows at least in a period, that its figures are not mostly chance."""

_PERIODS_SHOWN = 6
# By default so large a share of the rows is known to the first model.
_FIRST_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class SchedulesPlan:
    """When to retrain.

    Attributes
    ----------
    frequencies
        The schedules, the shortest first; at least one.
    starts
        Times at which the first model may be made, ascending, a period of the shortest schedule
        apart: the first one whose model the gate lets into production begins all schedules.
    end
        The last time of the table.
    """

    frequencies: tuple[Frequency, ...]
    starts: tuple[float, ...]
    end: float

    @property
    def schedules(self) -> tuple[str, ...]:
        """Names of the schedules, that of never retraining last."""
        return (*(one.text for one in self.frequencies), NEVER)

    def due(self, origin: float) -> dict[float, list[str]]:
        """Return the times after ``origin`` by whose schedules a model is due then, ascending."""
        found: dict[float, list[str]] = {}
        for one in self.frequencies:
            for at in one.times_from(origin, self.end)[1:]:
                found.setdefault(at, []).append(one.text)
        return dict(sorted(found.items()))

    def periods(self, origin: float) -> list[float]:
        """Return the times at which periods begin, ``origin`` first."""
        return self.frequencies[0].times_from(origin, self.end)


def plan_schedules(
    pipeline: Pipeline,
    history: KnownRows,
    frequencies: Sequence[Frequency],
    begin: Frequency | None,
) -> SchedulesPlan:
    """Return when models are due, and refuse a table with too few periods.

    Parameters
    ----------
    pipeline
        Names table and column, for the error.
    history
        The rows of the table.
    frequencies
        The schedules, the shortest first.
    begin
        History before the first model; None: until half of the rows are known.

    Raises
    ------
    DataError
        After the first model there would be fewer than four periods of enough rows.
    """
    shortest = frequencies[0]
    first, last = history.times.min().item(), history.times.max().item()
    earliest = first
    if begin is not None:
        try:
            earliest = begin.shifted(first, 1)
        except OverflowError:
            earliest = last + 1
    ordered = np.sort(history.times)
    fewest = 1 if begin is not None else int(np.ceil(_FIRST_SHARE * len(ordered)))
    starts = [
        at
        for at in shortest.boundaries(first, last)
        if at >= earliest and np.searchsorted(ordered, at - history.embargo) >= fewest
    ]
    rows = np.diff(np.searchsorted(ordered, [*starts, np.inf]))
    there = int(np.count_nonzero(rows >= FEWEST_ROWS))
    if there < FEWEST_PERIODS:
        told = [
            f"that from {history.text(at)} has {counted(int(n), 'row')}"
            for at, n in zip(starts, rows, strict=True)
        ]
        told[_PERIODS_SHOWN:] = (
            [more(len(told) - _PERIODS_SHOWN, "period")] if len(told) > _PERIODS_SHOWN else []
        )
        known = (
            f"{begin.text} of rows are known" if begin is not None else "half of the rows are known"
        )
        is_or_are = "is" if there == 1 else "are"
        short = len(starts) >= FEWEST_PERIODS
        raise DataError(
            f"{pipeline.source.name}, column {quote(pipeline.settings.split.time)}: after the "
            f"first training there {is_or_are} {counted(there, 'period')} of {shortest.text} "
            f"with at least {FEWEST_ROWS} rows, and {FEWEST_PERIODS} are needed: "
            f"{', '.join(told) or f'none begins once {known}'} ({len(history.times):,} rows from "
            f"{history.text(first)} to {history.text(last)}). Retrain "
            f"{'less' if short else 'more'} often, begin earlier, or add rows."
        )
    return SchedulesPlan(frequencies=tuple(frequencies), starts=tuple(starts), end=last)
