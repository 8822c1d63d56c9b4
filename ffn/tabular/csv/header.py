"""The first record of a CSV file: the names of its columns."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ffn.errors import DataError, quote
from ffn.tabular.cells import trim
from ffn.tabular.csv.charsets import reading_of, strange_bytes
from ffn.tabular.csv.parsing.grammar import Record
from ffn.tabular.csv.parsing.rejects import DETAILS

__all__ = [
    "DELIMITERS",
    "Header",
    "Opening",
    "check_distinct",
    "check_for_training",
    "header_error",
    "parse_header",
    "separator_hint",
]

# None of them can stand in a number.
DELIMITERS = (",", ";", "\t", "|", ":")
# A first line by which a file tells Excel its separator; no other program knows of it.
_TOLD = re.compile(rb'"?sep=(.)"?', re.IGNORECASE)


class Opening(NamedTuple):
    """What a file holds below its first record, as far as it was read then.

    Attributes
    ----------
    text
        Whole lines, as UTF-8.
    line
        The physical line on which it begins.
    encoding
        Of the file, as in `ffn.tabular.csv.encoding.Utf8Stream`.
    """

    text: bytes
    line: int
    encoding: str


@dataclass(frozen=True)
class Header:
    """The first record.

    Attributes
    ----------
    names
        Column names [C] without the spaces and tabs around them. Some may be equal.
    fields
        The names as they stand in the file (as UTF-8) [C].
    text
        The record as in the file (as UTF-8), without byte order mark and line end.
    line_end
        Its line end; empty if the file ends there.
    line
        The physical line on which it begins.
    opening
        What is below it; None where a file has no lines.
    """

    names: tuple[str, ...]
    fields: tuple[bytes, ...]
    text: bytes
    line_end: bytes
    line: int = 1
    opening: Opening | None = None


def parse_header(text: bytes, start: int, record: Record, where: str, encoding: str) -> Header:
    """Return the header that stands in ``text`` from ``start`` on.

    Parameters
    ----------
    where
        What errors call the line.
    encoding
        Of the file.

    Raises
    ------
    DataError
        It is at fault.
    """
    line = text[start : record.end]
    if told := _TOLD.fullmatch(line):
        separator = "a tab" if told[1] == b"\t" else quote(told[1].decode("utf-8", "replace"))
        raise DataError(
            f"{where}: {quote(told[0].decode('utf-8', 'replace'))} tells Excel the separator and "
            f"is no header. Remove that line, and give {separator} as the delimiter."
        )
    if record.fault is not None:
        raise header_error(where, DETAILS[record.fault])
    if b"\0" in line:
        raise header_error(
            where,
            "a NUL byte: binary data, or UTF-16 without its mark, which --encoding utf-16-le or "
            "utf-16-be reads",
        )
    cuts = [-1, *(position - start for position in record.delimiters), len(line)]
    fields = tuple(line[a + 1 : b] for a, b in pairwise(cuts))
    try:
        names = tuple(trim(_unquoted(field).decode()) for field in fields)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise header_error(where, f"bytes that are no text in {encoding}") from None
        raise header_error(where, reading_of(line, strange_bytes(text))) from None
    return Header(names, fields, line, text[record.end : record.stop])


def header_error(where: str, detail: str) -> DataError:
    """Return the refusal of a header."""
    return DataError(f"{where}: the header has {detail}.")


def check_distinct(header: Header, columns: Iterable[str], name: str) -> None:
    """Refuse a header in which one of ``columns`` stands more than once.

    Raises
    ------
    DataError
        Which of them is meant, nobody can say.
    """
    counts = Counter(header.names)
    for column in columns:
        if counts[column] > 1:
            raise DataError(
                f"{name}: {counts[column]} columns are named {quote(column)}. "
                "Give every column a name of its own."
            )


def check_for_training(header: Header, name: str, hint: str = "") -> None:
    """Refuse a header of one column that looks like more, and one with equal names.

    Parameters
    ----------
    hint
        What is known of a line that is no header: then it is at fault in no other way.

    Raises
    ------
    DataError
        It is such a header.
    """
    if hint:
        return
    if separated := separator_hint(header):
        raise DataError(f"{name} has only one column.{separated}")
    # Columns without a name are told apart by their place.
    check_distinct(header, filter(None, header.names), name)


def separator_hint(header: Header, needed: Collection[str] = ()) -> str:
    """Return what to say of a header that looks separated by something else, or nothing.

    Parameters
    ----------
    needed
        Columns that tell: where another separator finds them all, it is that one.
    """
    names = header.names
    found = next((d for d in DELIMITERS if needed and set(needed) <= _split(header.text, d)), "")
    if not found and len(names) == 1:
        found = max(DELIMITERS, key=names[0].count)
        found = found if found in names[0] else ""
    if not found:
        return ""
    shown = "a tab" if found == "\t" else quote(found)
    return f" The header looks separated by {shown}: give that as the delimiter."


def _split(text: bytes, delimiter: str) -> set[str]:
    """Return the names that a header has by another delimiter, as far as it can be read so."""
    reader = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error):
        return set(map(trim, next(reader, [])))
    return set()


def _unquoted(field: bytes) -> bytes:
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field
