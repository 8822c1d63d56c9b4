"""Transform raw rows in memory to the network's inputs, by the same rules as for CSV files."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, UnknownCategoryWarning, did_you_mean, quote
from ffn.tabular.cells import MISSING, UNKNOWN, present_texts
from ffn.tabular.columns.parsers import missing_numbers
from ffn.tabular.csv.cell_reasons import reject_detail
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason
from ffn.tabular.encodings.transformer import Transformer
from ffn.tabular.memory.frame_columns import Refuse, named_column, numbers_of, texts_of, with_nul
from ffn.tabular.memory.memory_table import MemoryTable, open_table
from ffn.tabular.schema import Feature, Schema

__all__ = ["read_columns", "read_frame"]

_EXAMPLES = 3


def read_frame(
    rows: Any, schema: Schema, preparation: Transformer, *, stacklevel: int = 2
) -> npt.NDArray[Any]:
    """Return inputs [n, n_in] of raw rows.

    Parameters
    ----------
    rows
        A table with named columns, as for `open_table`; n rows.
    schema
        Schema of the model.
    preparation
        Preprocessing of the model.
    stacklevel
        Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.

    Raises
    ------
    DataError
        A column is missing, or a cell is invalid. A table in memory is scored completely or not
        at all.

    Warns
    -----
    UnknownCategoryWarning
        Training saw none of the categories in a column.
    """
    table = open_table(rows, [feature.name for feature in schema.features])
    numeric, codes = read_columns(table, schema, _refuse, stacklevel=stacklevel + 1)
    x = preparation.transform(numeric, codes)
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        raise DataError(f"row {finite.argmin() + 1}: {DETAILS[Reason.NOT_FINITE]}.")
    return x


def read_columns(
    table: MemoryTable, schema: Schema, refuse: Refuse, *, stacklevel: int | None = 2
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the numbers and category codes [n, G] of a table, and tell its invalid cells.

    The numbers are followed by the components of the texts, [n, F + T D].

    Parameters
    ----------
    table
        The table, of n rows.
    schema
        Schema of the model.
    refuse
        Called with a mask [n] of cells, their column, and why they are invalid. It may raise; if it
        returns, what is read from these cells means nothing.
    stacklevel
        Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.
        None: no warnings, as unknown categories are not scored.

    Raises
    ------
    DataError
        A column is missing or occurs twice, or its type has no values that training knew.

    Warns
    -----
    UnknownCategoryWarning
        Training saw none of the categories in a column.
    """
    columns = Counter(table.names)
    absent = missing_numbers(schema.missing_values, ".")
    # A column's values lie side by side, which preparation reads faster.
    numeric = np.empty((len(schema.numeric) + schema.components, len(table)))
    for f, feature in enumerate(schema.numeric):
        _check_column(feature, columns, schema)
        numeric[f] = numbers_of(table, feature, schema.missing_values, absent, refuse)
    codes = np.empty((len(schema.categorical), len(table)), dtype=np.int64)
    for g, feature in enumerate(schema.categorical):
        _check_column(feature, columns, schema)
        codes[g], unknown = _codes(table, feature, schema.missing_values)
        known_or_missing = codes[g] != UNKNOWN
        if any("\0" in text for text in unknown):
            nul = with_nul(table, feature)
            refuse(nul, feature, Reason.NUL_BYTE)
            known_or_missing |= nul
            unknown = [text for text in unknown if "\0" not in text]
        if not feature.missing:
            refuse(codes[g] == MISSING, feature, Reason.MISSING_VALUE)
        if unknown and stacklevel is not None and not (codes[g] >= 0).any():
            count = int(np.count_nonzero(~known_or_missing))
            _warn(feature, count, unknown, stacklevel + 1)
    first = len(schema.numeric)
    for t, feature in enumerate(schema.texts):
        _check_column(feature, columns, schema)
        cells = present_texts(texts_of(table, feature), schema.missing_values)
        if schema.encoder is not None:
            last = first + schema.encoder.width
            numeric[first:last] = schema.encoder.components(t, cells).T
            first = last
        refuse(
            np.array([cell is not None and "\0" in cell for cell in cells]),
            feature,
            Reason.NUL_BYTE,
        )
        if not feature.missing:
            refuse(np.array([cell is None for cell in cells]), feature, Reason.MISSING_VALUE)
    return numeric.T, codes.T


def _check_column(feature: Feature, columns: Counter[Any], schema: Schema) -> None:
    if columns[feature.name] > 1:
        raise DataError(f"the rows have the column {quote(feature.name)} twice. Rename one.")
    if feature.name not in columns:
        features = {other.name for other in schema.features}
        others = (str(column) for column in columns if column not in features)
        hint = did_you_mean(feature.name, others)
        raise DataError(f"the rows have no column {quote(feature.name)}.{hint}")


def _codes(
    table: MemoryTable, feature: Feature, missing_values: Sequence[str]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return codes [n] of a categorical column, and texts in it that training never saw."""
    from ffn.tabular.columns.arrow_columns import codes_of_column
    from ffn.tabular.columns.typed_values import Spellings

    spellings = Spellings(feature.categories, missing_values)
    codes = np.full(len(table), MISSING if "" in missing_values else UNKNOWN, dtype=np.int64)
    unknown: list[str] = []
    for part in table.parts(feature.name):
        codes[part.rows], unseen = codes_of_column(
            part.cells, spellings, missing_values, named_column(feature)
        )
        unknown += unseen
    return codes, unknown


def _refuse(bad: npt.NDArray[np.bool_], feature: Feature, reason: Reason) -> None:
    if bad.any():
        why = reject_detail(reason, feature)
        raise DataError(f"row {bad.argmax() + 1}, column {quote(feature.name)}: {why}.")


def _warn(feature: Feature, count: int, unknown: Sequence[str], stacklevel: int) -> None:
    examples = ", ".join(quote(text, 30) for text in unknown[:_EXAMPLES])
    known = ", ".join(quote(text, 30) for text in feature.categories[:_EXAMPLES])
    warnings.warn(
        f"the rows, column {quote(feature.name)}: training never saw any of its {count:,} values, "
        f"such as {examples}; they are scored as unknown. The model knows {known}"
        f"{', …' if len(feature.categories) > _EXAMPLES else ''}.",
        UnknownCategoryWarning,
        stacklevel=stacklevel,
    )
