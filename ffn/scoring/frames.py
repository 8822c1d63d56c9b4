"""Raw rows in memory, a DataFrame, to the network's inputs: the contract of a CSV file."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, did_you_mean, quote
from ffn.scoring.contract import detail, refuse_bare_numbers
from ffn.scoring.scorer import Transformer
from ffn.tabular.cells import MISSING, category_codes, numbers
from ffn.tabular.formatted import formatted_numbers
from ffn.tabular.rejects import DETAILS, Reason
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.typed import missing_numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_frame"]


def read_frame(rows: pd.DataFrame, schema: Schema, preparation: Transformer) -> npt.NDArray[Any]:
    """Return inputs [n, n_in] of raw rows.

    Raises
    ------
    DataError
        A column is missing, or a cell has no meaning: a table in memory is scored whole or
        not at all.
    """
    if not hasattr(rows, "columns"):
        raise DataError(
            f"rows are a {type(rows).__name__}; give a DataFrame, whose columns are found by name."
        )
    numeric = np.empty((len(rows), len(schema.numeric)))
    for f, feature in enumerate(schema.numeric):
        numeric[:, f] = _numbers(_column(rows, feature, schema), feature, schema.missing_values)
    codes = np.empty((len(rows), len(schema.categorical)), dtype=np.int64)
    for g, feature in enumerate(schema.categorical):
        cells = _texts(_column(rows, feature, schema))
        codes[:, g] = category_codes(cells, feature.categories, schema.missing_values)
        if not feature.missing:
            _refuse(codes[:, g] == MISSING, feature, Reason.MISSING_VALUE)
    x = preparation.transform(numeric, codes)
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        raise DataError(f"row {finite.argmin() + 1}: {DETAILS[Reason.NOT_FINITE]}.")
    return x


def _column(rows: pd.DataFrame, feature: Feature, schema: Schema) -> pd.Series[Any]:
    if feature.name not in rows.columns:
        features = {other.name for other in schema.features}
        others = (str(column) for column in rows.columns if column not in features)
        hint = did_you_mean(feature.name, others)
        raise DataError(f"the rows have no column {quote(feature.name)}.{hint}")
    column = rows[feature.name]
    if column.ndim != 1:
        raise DataError(f"the rows have the column {quote(feature.name)} twice. Rename one.")
    return column


def _numbers(
    column: pd.Series[Any], feature: Feature, missing_values: Collection[str]
) -> npt.NDArray[np.float64]:
    form = feature.number_format
    if column.dtype.kind in "iuf":
        refuse_bare_numbers(feature, "the rows")
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.isinf(values)
        # A number has no spelling here: what means "no value" as text does so as a number.
        values = np.where(np.isin(values, missing_numbers(missing_values, ".")), np.nan, values)
    else:
        cells = _texts(column)
        if form is None:
            values, wrong = numbers(cells, missing_values)
        else:
            # Among texts there may be numbers, whose own mark is the point.
            cells = [
                cell if isinstance(value, str) else form.bare(cell)
                for cell, value in zip(cells, column.tolist(), strict=True)
            ]
            values, wrong = formatted_numbers(cells, form, missing_values)
        bad = np.zeros(len(values), dtype=bool)
        bad[wrong] = True
    _refuse(bad, feature, Reason.NOT_A_NUMBER)
    if not feature.missing:
        _refuse(np.isnan(values), feature, Reason.MISSING_VALUE)
    return values


def _texts(column: pd.Series[Any]) -> list[str]:
    """Texts as a CSV file would have them; a whole number in a float column has no point."""
    missing = column.isna().tolist()
    cells = column.tolist()
    if column.dtype.kind == "f":
        cells = [
            int(x) if not gone and x.is_integer() else x
            for x, gone in zip(cells, missing, strict=True)
        ]
    return ["" if gone else str(cell) for cell, gone in zip(cells, missing, strict=True)]


def _refuse(bad: npt.NDArray[np.bool_], feature: Feature, reason: Reason) -> None:
    if bad.any():
        why = detail(reason, feature)
        raise DataError(f"row {bad.argmax() + 1}, column {quote(feature.name)}: {why}.")
