"""A year of weather and sales, scored month by month: how often a season is taken for a unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.scoring.drift.drift_report import DriftReport, build_drift_report
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.settings.drift_settings import DriftSettings
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Reference, histogram_of

__all__ = [
    "FULL_SEASONS",
    "MISTAKES",
    "QUICK_SEASONS",
    "SPANS",
    "Year",
    "YearsSize",
    "draw_years",
    "report_on_rows",
    "seasons_section",
]

Array = npt.NDArray[Any]

_DAYS, _HOURS = 365, 24
PLAIN = ("temp", "dewp", "wind", "sales")
WITH_UNITS = ("temp_f", "dewp_f", "wind_km", "sales_kg")


@dataclass(frozen=True)
class YearsSize:
    """How many years are drawn for each line of the table."""

    years: int = 100
    mistaken: int = 100


FULL_SEASONS = YearsSize()
QUICK_SEASONS = YearsSize(years=2, mistaken=2)


@dataclass(frozen=True)
class Year:
    """Hourly rows of a year: numbers [n, 4] of the columns, and the month of each row [n]."""

    rows: Array
    month: Array

    def of(self, months: Sequence[int]) -> Array:
        """Return the rows of these months, counted from 0."""
        found: Array = self.rows[np.isin(self.month, months)]
        return found


SPANS: dict[str, tuple[int, ...]] = {
    "a whole year": tuple(range(12)),
    "January to October": tuple(range(10)),
    "January to June": tuple(range(6)),
    "June to August": (5, 6, 7),
}
"""Months of the training rows."""


MISTAKES: dict[str, tuple[str, int, Callable[[Array], Array], str]] = {
    "Fahrenheit, in Celsius": ("temp_f", 0, lambda v: (v - 32) / 1.8, "Celsius instead of Fahr"),
    "dew point in Fahrenheit, in Celsius": (
        "dewp_f",
        1,
        lambda v: (v - 32) / 1.8,
        "Celsius instead of Fahr",
    ),
    "kilometres, in miles": ("wind_km", 2, lambda v: v / 1.609344, "mile instead of km"),
    "kilograms, in pounds": ("sales_kg", 3, lambda v: v * 2.204623, "lb instead of kg"),
    "kilograms, in grams": ("sales_kg", 3, lambda v: v * 1_000, "g instead of kg"),
    "a temperature without its decimal point": ("temp", 0, lambda v: v * 10, "10 times too large"),
    "sales in thousands": ("sales", 3, lambda v: v / 1_000, "1000 times too small"),
}
"""Mistakes in one column: its name, its place, what was done, and what is to be named."""


def draw_years(generator: np.random.Generator) -> tuple[Year, Year]:
    """Draw two years of one place, the second a little warmer or colder than the first.

    The columns are temperature and dew point (Fahrenheit), wind speed and sales. Their days are
    related to the days before; temperature and dew point differ less among the days of summer.
    """
    mean, swing = generator.uniform(41, 64), generator.uniform(11, 25)
    spread, peak = generator.uniform(4, 8), generator.uniform(0.2, 0.9)
    windy, december = generator.uniform(-0.3, 0.3), generator.uniform(0, 0.8)
    busy = generator.normal(0, 0.2, size=7)

    def year() -> Year:
        day = np.arange(_DAYS * _HOURS) / _HOURS
        season = -np.cos(2 * np.pi * (day - 15) / _DAYS)
        daily = [np.repeat(_days(generator), _HOURS) for _ in range(4)]
        hour = 5 * np.sin(2 * np.pi * (day - 0.4)) + generator.normal(size=len(day))
        of_year = generator.normal(0, 1.5)
        temperature = mean + of_year + swing * season + spread * daily[0] * (1 - 0.3 * season)
        temperature += hour
        dew_point = temperature - 5 - 6 * np.abs(daily[1]) - 0.5 * np.abs(hour)
        noise = generator.normal(size=(2, len(day)))
        wind = 14 * np.exp(windy * season + 0.35 * daily[2] + 0.15 * noise[0])
        december_days = np.clip((day - 334) / 20, 0, 1)
        sales = np.exp(
            5
            + peak * season
            + december * december_days
            + busy[np.int64(day) % 7]
            + 0.2 * daily[3]
            + 0.1 * noise[1]
        )
        month = np.minimum(day // (_DAYS / 12), 11).astype(int)
        columns = [temperature, dew_point, wind, sales]
        return Year(np.round(np.stack(columns, axis=1), 2), month)

    return year(), year()


def _days(generator: np.random.Generator) -> Array:
    """Return a value for each day, of variance 1, related to the day before (AR(1), 0.6)."""
    found = generator.normal(size=_DAYS)
    for day in range(1, _DAYS):
        found[day] = 0.6 * found[day - 1] + 0.8 * found[day]
    return found


def report_on_rows(names: Sequence[str], training: Array, rows: Array) -> DriftReport:
    """Return what scoring says of numeric rows, with the settings that a pipeline has by default.

    Parameters
    ----------
    names
        Names of the columns [F].
    training
        Rows to train on [n, F].
    rows
        Rows of the file [m, F].
    """
    schema = Schema(
        features=tuple(Feature(name=name, kind="numeric") for name in names),
        target="kind",
        classes=("x", "y"),
    )
    reference = Reference(
        numeric=tuple(histogram_of(column) for column in training.T),
        categorical=(),
        labels=(len(training), 0),
    )
    counts = DriftCounts(reference)
    counts.count(rows, np.empty((len(rows), 0), dtype=int))
    settings = DriftSettings()
    return build_drift_report(
        schema,
        reference,
        counts,
        [len(rows), 0],
        {},
        threshold=settings.psi,
        min_rows=settings.min_rows,
    )


def _without_a_season(year: Year, kept: int, generator: np.random.Generator) -> Year:
    """Leave one column its season, and give the rows of all others at random."""
    rows = generator.permutation(year.rows)
    rows[:, kept] = year.rows[:, kept]
    return Year(rows, year.month)


def _named_months(names: Sequence[str], span: Sequence[int], seed: int) -> list[DriftReport]:
    """Return what is said of the months of a year, given the training months of the year before.

    In every second table only one column has a season, so that nothing else tells of it.
    """
    generator = np.random.default_rng([seed, 7])
    before, after = draw_years(generator)
    if seed % 2:
        kept = int(generator.integers(len(names)))
        before, after = (_without_a_season(year, kept, generator) for year in (before, after))
    training = before.of(span)
    return [report_on_rows(names, training, after.of([month])) for month in range(12)]


def _named_mistake(mistake: str, months: Sequence[int], seed: int) -> bool:
    """Say whether a mistake in a year's rows is named, and nothing else is."""
    name, place, change, word = MISTAKES[mistake]
    before, after = draw_years(np.random.default_rng([seed, 8]))
    names = [name if f == place else plain for f, plain in enumerate(PLAIN)]
    rows = after.of(months)
    rows[:, place] = change(rows[:, place])
    said = report_on_rows(names, before.rows, rows).suspicions
    return bool(said) and all(word in one for one in said)


def seasons_section(size: YearsSize) -> str:
    """Simulate, and return the two tables for ``docs/drift.md``."""
    lines = [
        f"Of the twelve months of the next year, {size.years * 12:,} files each, no value of which "
        "is wrong: the share that raised an alarm, and the share in which anything was named, with "
        "a 95 % interval that takes months of one year for independent. In half of the tables one "
        "column alone has a season.",
        "",
        "| training rows | alarms | named, no unit in the names | named, units in the names |",
        "|---|---|---|---|",
    ]
    for what, span in SPANS.items():
        cells, alarms = [], []
        for names in (PLAIN, WITH_UNITS):
            found = [one for seed in range(size.years) for one in _named_months(names, span, seed)]
            alarms.append(sum(one.detected for one in found) / len(found))
            share = wilson(sum(bool(one.suspicions) for one in found), len(found))
            cells.append(f"{share.value:.4f} [{share.low:.4f}, {share.high:.4f}]")
        lines.append(f"| {what} | {alarms[0]:.2f} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Of {size.mistaken} files of the next year, and of one month of it each, with a mistake "
        "in one column, the share in which this one is named and no other; training rows are those "
        "of a whole year.",
        "",
        "| the column is in, and the file has it in | a year | a month |",
        "|---|---|---|",
    ]
    for mistake in MISTAKES:
        seeds = range(size.mistaken)
        whole = sum(_named_mistake(mistake, range(12), seed) for seed in seeds) / size.mistaken
        month = sum(_named_mistake(mistake, [seed % 12], seed) for seed in seeds) / size.mistaken
        lines.append(f"| {mistake} | {whole:.2f} | {month:.2f} |")
    return "\n".join(lines)
