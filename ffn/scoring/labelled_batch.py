"""Label a batch of rows in memory, inside the engine that holds it: a row out for each row in."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ffn.errors import DataError, quote
from ffn.scoring.columnar.added_arrays import AddedArrays
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer, finite_probabilities
from ffn.tabular.cells import UNKNOWN
from ffn.tabular.csv.parsing.rejects import Reason
from ffn.tabular.memory.frames import read_columns
from ffn.tabular.memory.memory_table import open_table
from ffn.tabular.schema import Feature

__all__ = ["REJECT_COLUMNS", "label_batch"]

REJECT_COLUMNS = ("reject_reason", "reject_column")
"""Columns that tell why a row has no prediction: a code of `Reason`, and the column at fault."""


def label_batch(model: Scorer, rows: Any, options: Options, *, stacklevel: int = 2) -> Any:
    """Return ``rows`` with the columns that scoring adds, in a container of the same type.

    Parameters
    ----------
    model
        The model.
    rows
        Record batch or table of pyarrow, or DataFrame of pandas or polars.
    options
        Options of scoring, of which ``probabilities`` and ``on_unknown`` are used.
    stacklevel
        Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.

    Raises
    ------
    DataError
        It is none of these; it lacks a feature or already has an added column; or the type of a
        column has no values that training knew.

    Warns
    -----
    UnknownCategoryWarning
        Training saw none of the categories in a column.
    """
    if not (_is_arrow(rows) or _is_frame(rows, "pandas") or _is_frame(rows, "polars")):
        raise DataError(
            f"rows are of the type {type(rows).__name__}; give a RecordBatch or Table of pyarrow, "
            "or a DataFrame of pandas or polars: what comes out is of the same type."
        )
    schema = model.schema
    adding = AddedArrays(model, probabilities=options.probabilities)
    fields = [*adding.fields, *(pa.field(name, pa.string()) for name in REJECT_COLUMNS)]
    table = open_table(rows, [feature.name for feature in schema.features])
    for field in fields:
        if field.name in table.names:
            raise DataError(
                f"the rows already have a column {quote(field.name)}, which scoring would add. "
                "Rename or remove it; have they been scored already?"
            )
    rejected = _Rejected(len(table))
    scores_unknown = options.on_unknown == "score"
    level = stacklevel + 1 if scores_unknown else None
    numeric, codes = read_columns(table, schema, rejected.add, stacklevel=level)
    if not scores_unknown:
        for g, feature in enumerate(schema.categorical):
            rejected.add(codes[:, g] == UNKNOWN, feature, Reason.UNKNOWN_CATEGORY)
    good = ~rejected.mask
    if not good.all():
        numeric, codes = numeric[good], codes[good]
    probabilities, finite = finite_probabilities(model, model.preparation.transform(numeric, codes))
    if not finite.all():
        places = np.flatnonzero(good)[~finite]
        good[places], probabilities = False, probabilities[finite]
        rejected.add_rows(places, Reason.NOT_FINITE)
    labels = model.rule.labels(probabilities)
    confidences = model.rule.confidences(probabilities, labels)
    arrays = adding.arrays(labels, probabilities, confidences, model.rule.abstains(confidences))
    if not good.all():
        # A rejected row has nulls.
        place = pa.array(np.cumsum(good) - 1, mask=~good)
        arrays = [array.take(place) for array in arrays]
    return _with_columns(rows, pa.schema(fields), [*arrays, *rejected.arrays()])


class _Rejected:
    """Why rows [n] are rejected: for the first reason that is found, as in a file."""

    def __init__(self, n: int) -> None:
        self._reasons: list[tuple[str, str]] = []
        # Position in the list; -1 for a row that is scored.
        self._of_rows = np.full(n, -1, dtype=np.int64)

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Booleans [n]: the rejected rows."""
        mask: npt.NDArray[np.bool_] = self._of_rows >= 0
        return mask

    def add(self, bad: npt.NDArray[np.bool_], feature: Feature, reason: Reason) -> None:
        """Reject the rows ``bad`` [n] for the cells that they have in the column ``feature``."""
        if not bad.any():
            return
        if reason is Reason.NUL_BYTE:
            # A file's record with a NUL is refused before its cells are looked at.
            self.add_rows(np.flatnonzero(bad), reason)
        else:
            self._reasons.append((reason, feature.name))
            self._of_rows[bad & ~self.mask] = len(self._reasons) - 1

    def add_rows(self, places: npt.NDArray[np.intp], reason: Reason) -> None:
        """Reject the rows at ``places`` as a whole, whatever else is wrong with them."""
        self._reasons.append((reason, ""))
        self._of_rows[places] = len(self._reasons) - 1

    def arrays(self) -> list[Any]:
        """Return `REJECT_COLUMNS` as Arrow arrays of texts [n], null for a row that is scored."""
        if not self._reasons:
            return [pa.nulls(len(self._of_rows), pa.string())] * len(REJECT_COLUMNS)
        place = pa.array(self._of_rows, mask=~self.mask)
        texts = zip(*self._reasons, strict=True)
        return [pa.array(map(str, column), pa.string()).take(place) for column in texts]


def _is_arrow(rows: Any) -> bool:
    return isinstance(rows, pa.RecordBatch | pa.Table)


def _is_frame(rows: Any, library: str) -> bool:
    # If there is such a frame, the library has been imported.
    module = sys.modules.get(library)
    return module is not None and isinstance(rows, module.DataFrame)


def _with_columns(rows: Any, schema: Any, arrays: list[Any]) -> Any:
    """Return ``rows`` with the columns ``arrays`` behind its own."""
    if _is_arrow(rows):
        whole = rows.schema
        for field in schema:
            whole = whole.append(field)
        return type(rows).from_arrays([*rows.columns, *arrays], schema=whole)
    added = pa.Table.from_arrays(arrays, schema=schema)
    if _is_frame(rows, "polars"):
        import polars as pl

        return rows.hstack(pl.from_arrow(added).get_columns())  # type: ignore[union-attr]
    import pandas as pd

    # NumPy's integers have no missing value; batches with and without one must have one type.
    frame = added.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    frame.index = rows.index
    return pd.concat([rows, frame], axis=1)
