"""Normalise Arrow columns (dictionaries, views, chunks) and convert their cells to texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError

__all__ = ["as_texts", "is_text", "no_plain_values", "plain_column"]


def as_texts(column: Any, where: str, decimal: str) -> Any:
    """Convert the cells of a column to texts; null and NaN become null.

    Numbers are written so that they are read as the same numbers, whole floats without a decimal
    mark. Booleans are ``True`` and ``False``.

    Parameters
    ----------
    column
        ``pyarrow`` array [n].
    where
        Name of the column in errors.
    decimal
        Decimal mark to write.

    Raises
    ------
    DataError
        The column's type has no plain text form.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if column.type == pa.float16():
        # Arrow writes float16 with the digits of float32, not the shortest text as for others.
        halves = column.to_numpy(zero_copy_only=False).tolist()
        column = pa.array([None if x is None else float(str(np.float16(x))) for x in halves])
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    fraction = pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    try:
        texts = column.cast(pa.string())
    except (pa.ArrowException, ValueError):
        raise no_plain_values(column.type, where) from None
    return pc.replace_substring(texts, ".", decimal) if fraction and decimal != "." else texts


def plain_column(column: Any, where: str) -> Any:
    """Return a column as one array of plain values: no chunks, dictionary, views or bytes.

    Parameters
    ----------
    column
        ``pyarrow`` array or chunked array [n].
    where
        Name of the column in errors.

    Raises
    ------
    DataError
        The column has an extension type, or bytes that are not UTF-8.
    """
    try:
        while True:
            of = column.type
            if pa.types.is_dictionary(of):
                column = _decoded_dictionary(column)
            elif pa.types.is_run_end_encoded(of):
                column = pc.run_end_decode(column)
            elif of == pa.string_view() or (_is_bytes(of) and not is_text(of)):
                column = column.cast(pa.large_string())
            elif isinstance(of, pa.BaseExtensionType):
                raise no_plain_values(of, where)
            elif isinstance(column, pa.ChunkedArray):
                column = column.combine_chunks()
            else:
                return column
    except (pa.ArrowException, ValueError):
        raise no_plain_values(column.type, where) from None


def no_plain_values(of: Any, where: str) -> DataError:
    """Return the error for a column, called ``where``, of the unsupported Arrow type ``of``."""
    return DataError(
        f"{where}: cells of the type {of} are not plain values. Give a column of numbers or texts."
    )


def is_text(of: Any) -> bool:
    """Return whether the Arrow type ``of`` is a text type that `plain_column` may return."""
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of))


def _is_bytes(of: Any) -> bool:
    # Older Parquet writers do not mark text columns as such.
    return bool(pa.types.is_binary(of) or pa.types.is_large_binary(of) or of == pa.binary_view())


def _decoded_dictionary(column: Any) -> Any:
    if column.type.value_type != pa.string_view():
        return column.cast(column.type.value_type)
    # Arrow has no `take` kernel for views.
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    texts = [chunk.dictionary.cast(pa.large_string()).take(chunk.indices) for chunk in chunks]
    return pa.chunked_array(texts, pa.large_string())
