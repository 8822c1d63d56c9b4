"""The columns that moved each row's answer most, as they are written beside the answer."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.attribution.coalitions import EXACT_UP_TO
from ffn.attribution.shapley_rows import ShapleyRows
from ffn.decision_rules.rule import CONFIDENCE_UNITS
from ffn.tabular.schema import Schema

__all__ = [
    "ERROR_COLUMN",
    "NO_REASON",
    "Reasons",
    "is_reason_value",
    "reason_columns",
    "top_reasons",
    "value_units",
]

Array = npt.NDArray[Any]

ERROR_COLUMN = "reasons_error"
"""Column with the standard error of a row's values, where a model has so many columns."""

NO_REASON = -1
# Values that differ by rounding errors alone are made equal before they are rounded to the units
# that are written, so that a tie is one in whatever batch a row was.
_SNAP = 1e10


class Reasons(NamedTuple):
    """Reasons of n rows, at most N each, the largest first.

    Attributes
    ----------
    columns
        Position of each reason's column in ``schema.features``, integers [n, N]; ``NO_REASON``
        where a row has fewer.
    units
        How much the column moved the probability, in units of 1/10,000, int64 [n, N].
    error_units
        Largest standard error of the row's values, rounded up to such units, int64 [n]; 0 where
        they are exact.
    exact
        Booleans [n]: rows whose values are exact.
    """

    columns: npt.NDArray[np.intp]
    units: npt.NDArray[np.int64]
    error_units: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]


def reason_columns(schema: Schema, count: int) -> list[str]:
    """Return the names of the columns that ``count`` reasons add; no column, no reason.

    Parameters
    ----------
    schema
        Schema of the model; there are no more reasons than it has features.
    count
        Number of reasons that were asked for; 0 for none.
    """
    numbers = range(1, min(count, len(schema.features)) + 1)
    names = [name for i in numbers for name in (f"reason_{i}", f"reason_{i}_value")]
    return [*names, ERROR_COLUMN] if names and len(schema.features) > EXACT_UP_TO else names


def is_reason_value(name: str) -> bool:
    """Return whether the added column ``name`` holds numbers, not names of columns."""
    return name == ERROR_COLUMN or re.fullmatch(r"reason_\d+_value", name, re.ASCII) is not None


def value_units(values: Array) -> npt.NDArray[np.int64]:
    """Return values of any shape in whole units of 1/10,000, as they are written."""
    snapped = np.rint(values * _SNAP) / _SNAP
    units: npt.NDArray[np.int64] = np.rint(snapped * CONFIDENCE_UNITS).astype(np.int64)
    return units


def top_reasons(found: ShapleyRows, count: int) -> Reasons:
    """Return the largest values of each row, by amount; equal ones in the order of the columns.

    A value that would be written as 0.0000 is no reason.

    Parameters
    ----------
    found
        Shapley values of the rows.
    count
        Number of reasons, cut to the number of columns.
    """
    units = value_units(found.values)
    order = np.argsort(-np.abs(units), axis=1, kind="stable")[:, :count]
    chosen = np.take_along_axis(units, order, axis=1)
    errors = np.take_along_axis(found.errors, order, axis=1).max(axis=1, initial=0.0)
    snapped = np.rint(errors * _SNAP) / _SNAP
    return Reasons(
        np.where(chosen == 0, NO_REASON, order),
        chosen,
        np.ceil(snapped * CONFIDENCE_UNITS).astype(np.int64),
        found.exact,
    )
