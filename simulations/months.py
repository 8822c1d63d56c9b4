"""Months of the next year against those of the year before: how often a season is an alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.scoring.drift.drift_report import DriftReport, build_drift_report
from ffn.scoring.rows.day_counts import DayCounts
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.settings.drift_settings import DriftSettings
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.seasonal.season_counts import (
    SeasonColumn,
    Seasons,
    months_of,
    units_by_month,
    weeks_of,
)
from ffn.tabular.training_table.histograms import Reference, histogram_of
from simulations.seasons import PLAIN, draw_years

__all__ = [
    "FULL_MONTHS",
    "QUICK_MONTHS",
    "WORLDS",
    "MonthsSize",
    "dated_reference",
    "months_section",
    "report_on_days",
]

Array = npt.NDArray[Any]

_HOURS, _DAYS = 24, 365
_FIRST = int(np.datetime64("2023-01-01").astype("datetime64[D]").astype(int))
_SCHEMA = Schema(
    features=tuple(Feature(name=name, kind="numeric") for name in PLAIN),
    target="kind",
    classes=("x", "y"),
)


@dataclass(frozen=True)
class MonthsSize:
    """How many pairs of years are drawn of each kind."""

    years: int = 100


FULL_MONTHS = MonthsSize()
QUICK_MONTHS = MonthsSize(years=2)


def _weather(generator: np.random.Generator) -> tuple[Array, Array]:
    """Return hourly rows of two years, whose days and years are alike in themselves."""
    before, after = draw_years(generator)
    return before.rows, after.rows


def _independent(generator: np.random.Generator) -> tuple[Array, Array]:
    """Return rows of two years that have a season, and are independent of each other given it."""
    day = np.arange(_DAYS * _HOURS) / _HOURS
    season = -np.cos(2 * np.pi * (day - 15) / _DAYS)
    swings = generator.uniform(0.5, 3, size=len(PLAIN))
    first, second = (
        season[:, None] * swings + generator.normal(size=(len(day), len(PLAIN))) for _ in range(2)
    )
    return first, second


WORLDS: dict[str, Callable[[np.random.Generator], tuple[Array, Array]]] = {
    "weather and sales, whose days resemble their neighbours": _weather,
    "independent rows with a season": _independent,
}
"""How two years of hourly rows are drawn."""

_FILES = {"a month": 31, "three days": 3, "a day": 1}


def dated_reference(rows: Array, days: Array) -> Reference:
    """Return the reference of training rows [n, F] of these days [n]."""
    numeric = tuple(histogram_of(column) for column in rows.T)
    columns = tuple(
        SeasonColumn.learn(
            np.searchsorted(np.array(own.edges), column), len(own.counts), days, column
        )
        for own, column in zip(numeric, rows.T, strict=True)
    )
    seasons = Seasons(
        column="day",
        form=None,
        decimal=".",
        days=units_by_month(days, np.asarray),
        weeks=units_by_month(days, weeks_of),
        numeric=columns,
        categorical=(),
    )
    return Reference(numeric=numeric, categorical=(), labels=(len(rows), 0), seasons=seasons)


def report_on_days(reference: Reference, rows: Array, days: Array) -> DriftReport:
    """Return what scoring says of rows [m, F] of these days [m], by a pipeline's defaults."""
    counts = DriftCounts(reference)
    counts.count(rows, np.empty((len(rows), 0), dtype=int))
    dated = None
    if reference.seasons is not None:
        dated = DayCounts(reference.seasons, 0)
        values, times = np.unique(days, return_counts=True)
        dated.rows = dict(zip(values.tolist(), times.tolist(), strict=True))
    settings = DriftSettings()
    return build_drift_report(
        _SCHEMA,
        reference,
        counts,
        [len(rows), 0],
        {},
        threshold=settings.psi,
        # A day has 24.
        min_rows=20,
        days=dated,
    )


def _files(rows: Array, days: Array, length: int, seed: int) -> list[tuple[Array, Array]]:
    """Return twelve files, of some days of each month."""
    found = []
    for month in range(12):
        own = np.flatnonzero(months_of(days) == month)
        dates = np.unique(days[own])
        first = dates[0] if length >= len(dates) else dates[(7 * seed) % (len(dates) - length)]
        some = own[(days[own] >= first) & (days[own] < first + length)]
        found.append((rows[some], days[some]))
    return found


def months_section(size: MonthsSize) -> str:
    """Simulate, and return the table for ``docs/drift.md``."""
    lines = [
        f"Of {size.years * 12:,} files of the next year of each kind, twelve of each of "
        f"{size.years} pairs of years, no value of which is wrong: the share that raised an alarm, "
        "compared with training rows of the same month (95 % interval that takes files for "
        "independent) and with all. In the last two columns one column of the files is ten times "
        "too large.",
        "",
        "| rows | a file has | same month | all training rows | mistake found: same month | all |",
        "|---|---|---|---|---|---|",
    ]
    for world, draw in WORLDS.items():
        for what, length in _FILES.items():
            alarms, found = np.zeros(2, dtype=int), np.zeros(2, dtype=int)
            for seed in range(size.years):
                before, after = draw(np.random.default_rng([seed, 9]))
                days = _FIRST + np.arange(_DAYS * _HOURS) // _HOURS
                dated = dated_reference(before, days)
                place = seed % len(PLAIN)
                for rows, own in _files(after, days + _DAYS, length, seed):
                    wrong = rows.copy()
                    wrong[:, place] *= 10
                    for k, reference in enumerate((dated, replace(dated, seasons=None))):
                        alarms[k] += report_on_days(reference, rows, own).detected
                        told = report_on_days(reference, wrong, own).drifted
                        found[k] += PLAIN[place] in told
            n = size.years * 12
            share = wilson(int(alarms[0]), n)
            lines.append(
                f"| {world} | {what} | **{share.value:.4f}** [{share.low:.4f}, {share.high:.4f}] | "
                f"{alarms[1] / n:.2f} | {found[0] / n:.2f} | {found[1] / n:.2f} |"
            )
    return "\n".join(lines)
