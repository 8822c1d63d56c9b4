"""Write columns of texts as CSV, in the encoding of the settings."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError, quote

__all__ = ["beginning", "csv_lines", "encoded", "quoted_cells"]


def csv_lines(columns: Sequence[Any], delimiter: str) -> str:
    """Return rows as lines of CSV, each with its line feed; cells are quoted only if necessary.

    Parameters
    ----------
    columns
        ``pyarrow`` arrays of large texts [n], two at least: a row of a single empty cell would be
        a blank line, which is no row.
    delimiter
        Character between fields.
    """
    cells = [quoted_cells(column, delimiter) for column in columns]
    between = pa.scalar(delimiter, pa.large_string())
    lines = pc.binary_join_element_wise(*cells, between).to_pylist()
    return "\n".join([*lines, ""])


def quoted_cells(column: Any, delimiter: str) -> Any:
    """Return texts as fields of CSV: quoted only if necessary, null as an empty one.

    Parameters
    ----------
    column
        ``pyarrow`` array of large texts [n].
    delimiter
        Character between fields.
    """
    quotation, nothing = (pa.scalar(text, pa.large_string()) for text in ('"', ""))
    filled = column.fill_null("")
    quotes = pc.match_substring_regex(filled, f'["\r\n{delimiter}]')
    if not pc.any(quotes).as_py():
        return filled
    doubled = pc.replace_substring(filled, '"', '""')
    quoted = pc.binary_join_element_wise(quotation, doubled, quotation, nothing)
    return pc.if_else(quotes, quoted, filled)


def beginning(encoding: str) -> bytes:
    """Return what a file in ``encoding`` begins with: for UTF-16, a byte order mark."""
    return codecs.BOM_UTF16_LE if encoding == "utf-16" else b""


def encoded(text: str, encoding: str, where: str) -> bytes:
    """Return ``text`` in an encoding.

    Parameters
    ----------
    text
        Lines of CSV.
    encoding
        One of `ffn.tabular.csv.charsets.ENCODINGS`.
    where
        Name of the table in errors.

    Raises
    ------
    DataError
        The encoding cannot express a character.
    """
    try:
        return text.encode("utf-16-le" if encoding == "utf-16" else encoding)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where} holds {quote(text[error.start])}, which data.encoding = {quote(encoding)} "
            "cannot express. Remove data.encoding."
        ) from None
