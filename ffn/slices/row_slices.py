"""Groups of rows by a single column: each category, and each quarter of a number's range.

The bounds of the quarters are those of the training rows, so that held-out rows have no part in how
they are divided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.date_form import DateForm
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Histogram, Reference
from ffn.tabular.truth_form import TruthForm

__all__ = ["RowSlice", "quarter_bounds", "row_slices"]

Array = npt.NDArray[Any]

_QUARTERS = 4


@dataclass(frozen=True, eq=False)
class RowSlice:
    """Rows that have something in common.

    Attributes
    ----------
    column
        Name of the column.
    value
        What they have there, in words: a category, or a range of numbers.
    rows
        Numbers of the rows, ascending.
    """

    column: str
    value: str
    rows: npt.NDArray[np.intp]


def row_slices(
    schema: Schema, reference: Reference, numeric: Array, codes: Array
) -> Iterator[RowSlice]:
    """Yield all slices that have a row, column by column; each row is in one slice of each column.

    Columns of texts have none: hardly two of their rows are alike.

    Parameters
    ----------
    schema
        Schema of the training table.
    reference
        Histograms of the training rows, whose bins make up the quarters.
    numeric
        Numbers [n, F], NaN for missing.
    codes
        Category codes [n, G].
    """
    places = {feature.name: f for f, feature in enumerate(schema.numeric)}
    places |= {feature.name: g for g, feature in enumerate(schema.categorical)}
    for feature in schema.features:
        if feature.kind == "text":
            continue
        place = places[feature.name]
        if feature.kind == "numeric":
            values = numeric[:, place]
            if isinstance(feature.form, TruthForm):
                bounds, names = [0.0], ["false", "true"]
            else:
                bounds = quarter_bounds(reference.numeric[place])
                names = _ranges(bounds, feature.date_form or feature.clock_form)
            own = np.searchsorted(np.array(bounds), values)
            own[np.isnan(values)] = MISSING
        else:
            own, names = codes[:, place], list(feature.categories)
        said = {MISSING: "no value", UNKNOWN: "not seen in training"} | dict(enumerate(names))
        order = np.argsort(own, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(own[order])) + 1) if len(own) else ():
            yield RowSlice(feature.name, said[int(own[rows[0]])], rows)


def quarter_bounds(histogram: Histogram) -> list[float]:
    """Return the bounds between quarters of the known training values, at most three, ascending.

    Each is the edge of the histogram that comes nearest to a quarter of the rows. A value belongs
    to the range below a bound that it is equal to.

    Parameters
    ----------
    histogram
        Histogram of a numeric column.
    """
    known = sum(histogram.counts)
    if not histogram.edges or not known:
        return []
    below = np.cumsum(histogram.counts[:-1]) / known
    nearest = {int(np.abs(below - share / _QUARTERS).argmin()) for share in range(1, _QUARTERS)}
    return [histogram.edges[i] for i in sorted(nearest)]


def _ranges(bounds: list[float], dates: DateForm | ClockForm | None) -> list[str]:
    """Return the ranges between bounds in words."""
    if not bounds:
        if isinstance(dates, ClockForm):
            return ["any time"]
        return ["any date" if dates else "any number"]
    shown = [dates.written(bound) if dates else f"{bound:g}" for bound in bounds]
    if len(set(shown)) < len(shown):
        shown = [repr(bound) for bound in bounds]
    between = [f"above {low} to {high}" for low, high in pairwise(shown)]
    return [f"up to {shown[0]}", *between, f"above {shown[-1]}"]
