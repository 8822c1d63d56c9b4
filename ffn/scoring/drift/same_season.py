"""What scored rows are compared with: training rows of the same months, or all of them.

A file of November is unlike a year for no other reason than that it is November. Where the training
rows have dates, and the scored ones too, the reference is a mixture of the months that the file
has, in its shares. Rows of one day, and of one week, are alike, and the next November is another
one: the limit of chance is that for independent rows plus what the shares of training differ by
between its days, or weeks, whichever is more (`ffn.tabular.seasonal.spreads`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted
from ffn.scoring.drift.psi import Distance, distribution_distance, f_quantile
from ffn.scoring.rows.day_counts import DayCounts
from ffn.tabular.seasonal.season_counts import (
    MONTHS,
    SeasonColumn,
    Seasons,
    month_names,
    months_of,
    weeks_of,
)
from ffn.tabular.training_table.histograms import Histogram, Reference

__all__ = ["Compared", "Units", "choose_reference"]

Array = npt.NDArray[Any]

# Training rows of a month, and weeks of which they are.
_FEWEST_ROWS, _FEWEST_WEEKS = 100, 2.0
# Degrees of freedom of an estimated spread between units.
_FEWEST_KNOWN = 20
# Shares of rows that may be of other months, and without a date.
_OTHER_MONTHS, _UNDATED = 0.01, 0.05


@dataclass(frozen=True, kw_only=True)
class Units:
    """How many days and weeks of equal size either side of a comparison has.

    Attributes
    ----------
    days, weeks
        ``1/w + 1/v`` of the units w of the file and v of training.
    """

    days: float
    weeks: float


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a file is compared with.

    Attributes
    ----------
    reference
        Histograms, of the months of the file or of all training rows.
    seasons
        What training has by month; None if the file is compared with all training rows.
    units, predicted_units
        Of the features, and of the predictions; None where these are compared with all rows.
    note
        What it is compared with, and why, as a clause; empty if nothing is known of seasons.
    months
        Names of the months; empty if it is compared with all training rows.
    """

    reference: Reference
    seasons: Seasons | None = None
    units: Units | None = None
    predicted_units: Units | None = None
    note: str = ""
    months: str = ""

    def distance(
        self, found: Sequence[float], expected: Sequence[int], alpha: float, place: int | None
    ) -> Distance:
        """Compare two histograms of a column, with the limit that its season asks for.

        Parameters
        ----------
        found
            Rows of the file by bin.
        expected
            Rows of the reference by bin.
        alpha
            Probability of a false alarm.
        place
            Number of the feature, the numeric ones first; None for the predictions.
        """
        if self.seasons is None:
            return distribution_distance(found, expected, alpha)
        if place is None:
            column, units = self.seasons.predicted, self.predicted_units
        else:
            column = (*self.seasons.numeric, *self.seasons.categorical)[place]
            units = self.units
        if column is None or units is None:
            return distribution_distance(found, expected, alpha)
        return _apart(found, expected, alpha, column, units)


def choose_reference(
    reference: Reference, days: DayCounts | None, *, with_predictions: bool
) -> Compared:
    """Return what a file is compared with.

    Parameters
    ----------
    reference
        Histograms of the training rows.
    days
        Scored rows by day; None if they were not counted.
    with_predictions
        Whether predictions are compared as well.
    """
    seasons = reference.seasons
    if seasons is None or days is None:
        return Compared(reference=reference)
    dated = sum(days.rows.values())
    why = ""
    if not days.there:
        why = f"the file has no column {quote(seasons.column)}"
    elif not dated or days.undated > _UNDATED * (dated + days.undated):
        why = f"{counted(days.undated, 'row')} have no date that can be read"
    if why:
        return Compared(reference=reference, note=f"with all training rows, because {why}")
    all_days = np.array(sorted(days.rows), dtype=np.int64)
    rows = np.array([days.rows[day] for day in all_days.tolist()], dtype=float)
    shares = _shares(all_days, rows)
    months = np.flatnonzero(shares > _OTHER_MONTHS).tolist()
    if why := _unknown(months, seasons):
        return Compared(reference=reference, note=f"with all training rows, {why}")
    own = np.where(shares > _OTHER_MONTHS, shares, 0)
    own /= own.sum()
    mixed = replace(
        reference,
        numeric=tuple(
            _mixed(column, before, own)
            for column, before in zip(seasons.numeric, reference.numeric, strict=True)
        ),
        categorical=tuple(
            _mixed(column, before, own)
            for column, before in zip(seasons.categorical, reference.categorical, strict=True)
        ),
    )
    names = month_names(months)
    note = f"with the training rows of {names}"
    predicted_units = None
    if with_predictions and seasons.predicted is not None:
        known = all(
            sum(seasons.predicted.counts[month]) >= _FEWEST_ROWS
            and seasons.predicted_weeks[month] >= _FEWEST_WEEKS
            for month in months
        )
        if known:
            predicted = _mixture([*seasons.predicted.counts], own)
            mixed = replace(mixed, predicted=tuple(predicted[:-1].tolist()))
            predicted_units = _units(
                all_days, rows, own, seasons.predicted_days, seasons.predicted_weeks
            )
        else:
            note += (
                "; predictions with all held-out rows, of which there are too few of these months"
            )
    return Compared(
        reference=mixed,
        seasons=seasons,
        units=_units(all_days, rows, own, seasons.days, seasons.weeks),
        predicted_units=predicted_units,
        note=note,
        months=names,
    )


def _shares(days: Array, rows: Array) -> Array:
    found: Array = np.bincount(months_of(days), rows, minlength=MONTHS) / rows.sum()
    return found


def _unknown(months: Sequence[int], seasons: Seasons) -> str:
    """Return why training rows of these months cannot be compared with; empty if they can."""
    columns = (*seasons.numeric, *seasons.categorical)
    rows = {month: sum(columns[0].counts[month]) for month in months}
    lacking = [month for month in months if rows[month] < _FEWEST_ROWS]
    if lacking:
        there = sum(rows[month] for month in lacking)
        many = f"only {there:,}" if there else "none"
        return f"as these have {many} of {month_names(lacking)}"
    if short := [month for month in months if seasons.weeks[month] < _FEWEST_WEEKS]:
        return f"as these have less than two weeks of {month_names(short)}"
    if any(column.week.known < _FEWEST_KNOWN for column in columns):
        return "as these are of too few weeks to tell how much weeks differ"
    return ""


def _units(
    days: Array, rows: Array, shares: Array, own_days: Sequence[float], own_weeks: Sequence[float]
) -> Units:
    """Return the units of either side; those of training are months mixed by the file's shares."""

    def both(units: Array, of_training: Sequence[float]) -> float:
        _, place = np.unique(units, return_inverse=True)
        of_file = np.bincount(place, rows)
        there = shares > 0
        mixed = (shares[there] ** 2 / np.array(of_training)[there]).sum()
        return float(np.square(of_file).sum() / of_file.sum() ** 2 + mixed)

    return Units(days=both(days, own_days), weeks=both(weeks_of(days), own_weeks))


def _mixture(counts: Sequence[Sequence[int]], shares: Array) -> Array:
    """Return counts by bin of months mixed by ``shares`` [12], of as many rows as say the same."""
    table = np.array(counts, dtype=float)
    totals = table.sum(axis=1)
    there = shares > 0
    if not totals[there].all():
        return np.zeros(table.shape[1], dtype=np.int64)
    of_bins = (shares[there, None] * table[there] / totals[there, None]).sum(axis=0)
    rows = 1 / (shares[there] ** 2 / totals[there]).sum()
    found: Array = np.rint(of_bins * rows).astype(np.int64)
    return found


def _mixed(column: SeasonColumn, before: Histogram, shares: Array) -> Histogram:
    """Return the histogram of months mixed by ``shares`` [12]."""
    *counts, missing = _mixture(column.counts, shares).tolist()
    mean = deviation = 0.0
    if column.moments:
        moments = np.array(column.moments)
        known = shares * np.array([sum(own[:-1]) > 0 for own in column.counts])
        if known.sum():
            known = known / known.sum()
            mean = float(known @ moments[:, 0])
            squares = float(known @ (moments[:, 1] ** 2 + moments[:, 0] ** 2))
            deviation = float(np.sqrt(max(0.0, squares - mean**2)))
    return replace(before, counts=tuple(counts), missing=missing, mean=mean, deviation=deviation)


def _apart(
    found: Sequence[float],
    expected: Sequence[int],
    alpha: float,
    column: SeasonColumn,
    units: Units,
) -> Distance:
    """Compare two histograms whose rows are of days and weeks that are alike in themselves."""
    plain = distribution_distance(found, expected, alpha)
    beyond = max(
        both * spread.scale * f_quantile(1 - alpha, spread.degrees, max(1, spread.known))
        for spread, both in ((column.day, units.days), (column.week, units.weeks))
    )
    return replace(plain, limit=plain.limit + beyond)
