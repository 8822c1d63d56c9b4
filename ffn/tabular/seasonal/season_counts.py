"""Counts of the training columns by month of the year, for drift that is no season."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.quantities import listed
from ffn.tabular.cells import trim
from ffn.tabular.seasonal.spreads import Spread, measure_spread
from ffn.tabular.splitting.points_in_time import parse_time

__all__ = [
    "MONTHS",
    "SeasonColumn",
    "Seasons",
    "day_of_text",
    "days_of",
    "month_names",
    "months_of",
    "units_by_month",
    "weeks_of",
]

Array = npt.NDArray[Any]

MONTHS = 12
_DAY = 86_400_000_000
_FIELDS = {"column", "form", "decimal", "days", "weeks", "numeric", "categorical", "predicted"}


def days_of(times: Array) -> Array:
    """Return the day, counted from 1970, of times in microseconds since then, int64 [n]."""
    found: Array = np.asarray(times, dtype=np.int64) // _DAY
    return found


def months_of(days: Array) -> Array:
    """Return the month of the year, 0 to 11, of days counted from 1970 [n]."""
    found: Array = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % MONTHS
    return found


def weeks_of(days: Array) -> Array:
    """Return the number of the quarter of a month, of seven days or a few more, of each day [n]."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    quarter = np.minimum((dates - months.astype("datetime64[D]")).astype(np.int64) // 7, 3)
    found: Array = months.astype(np.int64) * 4 + quarter
    return found


def day_of_text(text: str, form: str | None, decimal: str) -> int | None:
    """Return the day, counted from 1970, that a cell means; None if it is no date.

    Parameters
    ----------
    text
        The cell.
    form, decimal
        As for `parse_time`.
    """
    cell = trim(text)
    # Columnar files may have dates of their own, which become texts in ISO 8601.
    point = parse_time(cell, form, decimal) or (form and parse_time(cell))
    return int(point.value) // _DAY if point and point.kind != "number" else None


def month_names(months: Sequence[int]) -> str:
    """Return the English names of months, counted from 0, as a list in a sentence."""
    return listed([calendar.month_name[month + 1] for month in months])


@dataclass(frozen=True, kw_only=True)
class SeasonColumn:
    """One column by month of the year.

    Attributes
    ----------
    counts
        Rows by month and bin [12, B + 1]; the last bin has rows without a value, or is empty.
    moments
        Mean and standard deviation of each month [12, 2] of a numeric column, zeros without rows;
        empty for others.
    day, week
        How much shares differ between the days of a month, and its weeks.
    """

    counts: tuple[tuple[int, ...], ...]
    moments: tuple[tuple[float, float], ...] = ()
    day: Spread
    week: Spread

    @classmethod
    def learn(
        cls, codes: Array, bins: int, days: Array, values: Array | None = None
    ) -> SeasonColumn:
        """Return the counts of a column.

        Parameters
        ----------
        codes
            Bin of each row [n], from 0; ``bins`` for a row without a value.
        bins
            Number of bins, B.
        days
            Day of each row [n].
        values
            Numbers [n], NaN for missing; None, the default, for categories.
        """
        months = months_of(days)
        counts = np.bincount(months * (bins + 1) + codes, minlength=MONTHS * (bins + 1))
        moments: list[tuple[float, float]] = []
        if values is not None:
            for month in range(MONTHS):
                own = values[(months == month) & ~np.isnan(values)]
                moments.append((float(own.mean()), float(own.std())) if len(own) else (0.0, 0.0))
        return cls(
            counts=tuple(map(tuple, counts.reshape(MONTHS, bins + 1).tolist())),
            moments=tuple(moments),
            day=measure_spread(codes, bins + 1, days, months),
            week=measure_spread(codes, bins + 1, weeks_of(days), months),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; the inverse of `from_json`."""
        return {
            "counts": [list(own) for own in self.counts],
            "moments": [list(own) for own in self.moments],
            "day": list(self.day),
            "week": list(self.week),
        }

    @classmethod
    def from_json(cls, value: Any, bins: int, *, numeric: bool) -> SeasonColumn:
        """Return the column in ``value``, a result of `to_json`, of so many ``bins``.

        Raises
        ------
        ValueError
            It is not one.
        """
        counts = tuple(tuple(own) for own in value["counts"])
        moments = tuple((float(mean), float(deviation)) for mean, deviation in value["moments"])
        spreads = [Spread(*value[key]) for key in ("day", "week")]
        cells = [count for own in counts for count in own]
        numbers = [*(number for own in moments for number in own)]
        numbers += [number for own in spreads for number in own]
        if (
            [len(own) for own in counts] != [bins + 1] * MONTHS
            or len(moments) != (MONTHS if numeric else 0)
            or not all(type(count) is int and 0 <= count <= 2**53 for count in cells)
            or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
            or any(min(own) < 0 or own.degrees <= 0 for own in spreads)
            or any(deviation < 0 for _, deviation in moments)
        ):
            raise ValueError("a season is not of this format")
        return cls(counts=counts, moments=moments, day=spreads[0], week=spreads[1])


@dataclass(frozen=True, kw_only=True)
class Seasons:
    """The training columns by month of the year, under a split by dates.

    Attributes
    ----------
    column, form, decimal
        Header of the column of dates, and how it writes them, as for `parse_time`.
    days, weeks
        By month, the number of days, and of weeks, of equal size as say as much as those of the
        training rows [12].
    numeric, categorical
        The features, in the order of the schema.
    predicted
        The predicted classes of the held-out rows; None until they are predicted.
    predicted_days, predicted_weeks
        As ``days`` and ``weeks``, of the held-out rows; empty until then.
    """

    column: str
    form: str | None
    decimal: str
    days: tuple[float, ...]
    weeks: tuple[float, ...]
    numeric: tuple[SeasonColumn, ...]
    categorical: tuple[SeasonColumn, ...]
    predicted: SeasonColumn | None = None
    predicted_days: tuple[float, ...] = ()
    predicted_weeks: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; the inverse of `from_json`."""
        return {
            "column": self.column,
            "form": self.form,
            "decimal": self.decimal,
            "days": [[*self.days], [*self.predicted_days]],
            "weeks": [[*self.weeks], [*self.predicted_weeks]],
            "numeric": [own.to_json() for own in self.numeric],
            "categorical": [own.to_json() for own in self.categorical],
            "predicted": self.predicted and self.predicted.to_json(),
        }

    @classmethod
    def from_json(
        cls, value: Any, numeric: Sequence[int], categorical: Sequence[int], classes: int
    ) -> Seasons:
        """Return the seasons in ``value``, a result of `to_json`.

        Parameters
        ----------
        value
            JSON values.
        numeric, categorical
            Bins of each feature.
        classes
            Number of classes.

        Raises
        ------
        ValueError
            It is not one, or does not fit.
        """
        if set(value) != _FIELDS or type(value["column"]) is not str:
            raise ValueError("seasons are not of this format")
        if not (value["form"] is None or type(value["form"]) is str) or value["decimal"] not in (
            ".",
            ",",
        ):
            raise ValueError("seasons have no readable dates")
        predicted = value["predicted"]
        units = [tuple(map(float, own)) for key in ("days", "weeks") for own in value[key]]
        lengths = [MONTHS, MONTHS if predicted else 0] * 2
        if [len(own) for own in units] != lengths or not all(
            math.isfinite(one) and one >= 0 for own in units for one in own
        ):
            raise ValueError("seasons have no numbers of days")
        return cls(
            column=value["column"],
            form=value["form"],
            decimal=value["decimal"],
            days=units[0],
            predicted_days=units[1],
            weeks=units[2],
            predicted_weeks=units[3],
            numeric=_columns(value["numeric"], numeric, numbers=True),
            categorical=_columns(value["categorical"], categorical, numbers=False),
            predicted=SeasonColumn.from_json(predicted, classes, numeric=False)
            if predicted
            else None,
        )


def units_by_month(days: Array, unit_of: Callable[[Array], Array]) -> tuple[float, ...]:
    """Return by month the number of units of equal size that say as much (Kish 1965) [12].

    Parameters
    ----------
    days
        Day of each row [n].
    unit_of
        Returns the unit of days [n].
    """
    values, first, rows = np.unique(unit_of(days), return_index=True, return_counts=True)
    months = months_of(days[first]) if len(values) else np.zeros(0, dtype=np.int64)
    total, squares = (
        np.bincount(months, rows.astype(float) ** power, minlength=MONTHS) for power in (1, 2)
    )
    return tuple((total**2 / np.where(squares > 0, squares, 1)).tolist())


def _columns(value: Any, bins: Sequence[int], *, numbers: bool) -> tuple[SeasonColumn, ...]:
    return tuple(
        SeasonColumn.from_json(own, size, numeric=numbers)
        for own, size in zip(value, bins, strict=True)
    )
