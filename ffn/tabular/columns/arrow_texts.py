"""Normalise Arrow columns (dictionaries, views, chunks) and convert their cells to texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError

__all__ = [
    "as_texts",
    "decoded",
    "family_of",
    "in_utc",
    "is_text",
    "moment_without_text",
    "no_plain_values",
    "plain_column",
    "plain_texts",
    "text_dictionaries",
    "texts_with_nul",
]

# A fraction of a second that is none: Arrow writes as many digits as the type can hold.
_NO_FRACTION = r"\.0+(Z?)$"
# What Arrow writes for 24:00, for infinity, and for other moments that no calendar has.
_OUT_OF_RANGE = "<value out of range: "


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


def plain_texts(column: Any, where: str, decimal: str) -> Any:
    """Return the cells of a column of any type as the texts of a CSV file of the same table.

    Null and NaN are null; numbers and booleans are as in `as_texts`, decimals keep their digits;
    dates and times are ISO 8601 with a space, those with a time zone in UTC.

    Parameters
    ----------
    column
        ``pyarrow`` array or chunked array [n].
    where
        File and column, for errors.
    decimal
        Decimal mark to write.

    Returns
    -------
    texts
        ``pyarrow`` array of texts [n], null for no value.

    Raises
    ------
    DataError
        The column's cells are no plain values: lists, structures, bytes that are not UTF-8.
    """
    if family_of(column.type) is None and not pa.types.is_null(column.type):
        raise no_plain_values(column.type, where)
    column = plain_column(column, where)
    of = column.type
    texts = as_texts(in_utc(column), where, decimal)
    if pa.types.is_temporal(of):
        texts = pc.replace_substring_regex(texts, _NO_FRACTION, r"\1")
    return texts.cast(pa.large_string())


def moment_without_text(column: Any, texts: Any) -> tuple[int, str] | None:
    """Return the first date or time that has no text; None if all have one.

    Parameters
    ----------
    column
        ``pyarrow`` array or chunked array [n].
    texts
        Its texts [n].

    Returns
    -------
    found
        Its position, and what Arrow wrote for it.
    """
    if not pa.types.is_temporal(column.type):
        return None
    beyond = pc.starts_with(texts, _OUT_OF_RANGE)
    place = pc.index(beyond, True).as_py()
    return None if place < 0 else (place, texts[place].as_py())


def in_utc(values: Any) -> Any:
    """Convert zoned times to UTC, as the zone's name may be unknown on this machine."""
    zoned = pa.types.is_timestamp(values.type) and values.type.tz is not None
    return values.cast(pa.timestamp(values.type.unit, "UTC")) if zoned else values


def family_of(of: Any) -> str | None:
    """Return what an Arrow type holds, such as ``numbers``; None for nested and other types.

    Columns of one family have texts of one kind. None, too, for a column of nulls alone.
    """
    kinds = pa.types
    if kinds.is_dictionary(of) or kinds.is_run_end_encoded(of):
        of = of.value_type
    for family, tests in {
        "numbers": (kinds.is_integer, kinds.is_floating, kinds.is_decimal),
        "booleans": (kinds.is_boolean,),
        "dates": (kinds.is_date,),
        "times of day": (kinds.is_time,),
        "texts": (
            kinds.is_string,
            kinds.is_large_string,
            kinds.is_string_view,
            # Older writers do not mark texts as such; other bytes are refused when they are read.
            kinds.is_binary,
            kinds.is_large_binary,
            kinds.is_binary_view,
        ),
    }.items():
        if any(test(of) for test in tests):
            return family
    if kinds.is_timestamp(of):
        return "times with a time zone" if of.tz is not None else "times"
    return None


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


def text_dictionaries(column: Any) -> list[Any] | None:
    """Return the chunks of a ``pyarrow`` column of dictionary-coded texts; None for other columns.

    None, too, where a dictionary has more entries than there are rows to read.
    """
    if not pa.types.is_dictionary(column.type) or not is_text(column.type.value_type):
        return None
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return None if any(len(own.dictionary) > len(own) for own in chunks) else chunks


def texts_with_nul(column: Any, where: str) -> npt.NDArray[np.bool_]:
    """Return a mask [n] of the texts that hold a NUL character; none in a column of another type.

    Parameters
    ----------
    column, where
        As for `plain_column`; errors are the same, too.
    """
    column = plain_column(column, where)
    if not is_text(column.type):
        return np.zeros(len(column), dtype=bool)
    found: npt.NDArray[np.bool_] = (
        pc.match_substring(column, "\0").fill_null(False).to_numpy(zero_copy_only=False)
    )
    return found


def decoded(texts: Any, where: str) -> list[str]:
    """Return an Arrow array of texts as a list.

    Parameters
    ----------
    texts
        ``pyarrow`` array of texts [n].
    where
        Name of the column in errors.

    Raises
    ------
    DataError
        A text is not UTF-8.
    """
    try:
        cells: list[str] = texts.to_pylist()
    except UnicodeDecodeError:
        raise DataError(f"{where}: holds bytes that are not UTF-8. Give texts.") from None
    return cells


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
