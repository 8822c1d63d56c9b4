"""Parse and check the header of a CSV file."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
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
    "first_difference",
    "header_error",
    "parse_header",
    "separator_hint",
]

# No number contains one of them.
DELIMITERS = (",", ";", "\t", "|", ":")
# A first line that gives Excel the separator; other programs do not know it.
_TOLD = re.compile(rb'"?sep=(.)"?', re.IGNORECASE)


class Opening(NamedTuple):
    """The first lines below the header, for hints in error messages.

    Attributes
    ----------
    text
        Whole lines, as UTF-8.
    line
        Number of the first of these lines in the file, 1 = first.
    encoding
        Encoding of the file, as in `ffn.tabular.csv.encoding.Utf8Stream`.
    """

    text: bytes
    line: int
    encoding: str


@dataclass(frozen=True)
class Header:
    """The first record of a file.

    Attributes
    ----------
    names
        Column names [C] without surrounding spaces and tabs; not necessarily distinct.
    fields
        The raw fields [C], as UTF-8.
    text
        The raw record as UTF-8, without byte order mark and line end.
    line_end
        Its line end; empty if the file ends there.
    line
        Number of its first line in the file, 1 = first.
    opening
        The lines below it; None for a file without lines, such as Parquet.
    """

    names: tuple[str, ...]
    fields: tuple[bytes, ...]
    text: bytes
    line_end: bytes
    line: int = 1
    opening: Opening | None = None


def parse_header(text: bytes, start: int, record: Record, where: str, encoding: str) -> Header:
    """Parse the header.

    Parameters
    ----------
    text
        UTF-8 bytes of the beginning of the file.
    start
        Position of the header in ``text``.
    record
        The header as a record of ``text``.
    where
        Name of the file and line in errors.
    encoding
        Encoding of the file.

    Raises
    ------
    DataError
        The header breaks the quoting rules, is not text, or is Excel's separator line.
    """
    line = text[start : record.end]
    if told := _TOLD.fullmatch(line):
        separator = "a tab" if told[1] == b"\t" else quote(told[1].decode("utf-8", "replace"))
        raise DataError(
            f"{where}: {quote(told[0].decode('utf-8', 'replace'))} tells Excel the separator and "
            f"is not a header. Remove that line, and give {separator} as the delimiter."
        )
    if record.fault is not None:
        raise header_error(where, DETAILS[record.fault])
    if b"\0" in line:
        raise header_error(
            where,
            "a NUL byte: binary data, or UTF-16 without a byte order mark, which needs --encoding "
            "utf-16-le or utf-16-be",
        )
    cuts = [-1, *(position - start for position in record.delimiters), len(line)]
    fields = tuple(line[a + 1 : b] for a, b in pairwise(cuts))
    try:
        names = tuple(trim(_unquoted(field).decode()) for field in fields)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise header_error(where, f"bytes that are not text in {encoding}") from None
        raise header_error(where, reading_of(line, strange_bytes(text))) from None
    return Header(names, fields, line, text[record.end : record.stop])


def header_error(where: str, detail: str) -> DataError:
    """Return the error for a header at ``where`` (file and line) that has ``detail``."""
    return DataError(f"{where}: the header has {detail}.")


def check_distinct(header: Header, columns: Iterable[str], name: str) -> None:
    """Refuse a header that contains one of ``columns`` more than once.

    Parameters
    ----------
    header
        Header of the file.
    columns
        Names that must be unique.
    name
        Name of the file in errors.

    Raises
    ------
    DataError
        A name is repeated, so it is ambiguous.
    """
    counts = Counter(header.names)
    for column in columns:
        if counts[column] > 1:
            raise DataError(
                f"{name}: {counts[column]} columns are named {quote(column)}. "
                "Give every column a unique name."
            )


def check_for_training(header: Header, name: str, hint: str = "") -> None:
    """Refuse a training header that has a wrong delimiter or repeated names.

    Parameters
    ----------
    header
        Header of the file.
    name
        Name of the file in errors.
    hint
        Known reason why the first line is not a header; if given, nothing else is checked.

    Raises
    ------
    DataError
        A single name contains delimiters, or a name is repeated.
    """
    if hint:
        return
    if separated := separator_hint(header):
        raise DataError(f"{name} has only one column.{separated}")
    # Columns without a name are identified by position.
    check_distinct(header, filter(None, header.names), name)


def separator_hint(header: Header, needed: Collection[str] = ()) -> str:
    """Return a sentence about a header that seems to have another delimiter; else empty.

    Parameters
    ----------
    header
        Header of the file.
    needed
        Known column names: the delimiter under which the header has all of them is suggested.
        Without any, only a header of a single column is examined.
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
    """Return the names in a header under another delimiter; empty if it cannot be parsed."""
    reader = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error):
        return set(map(trim, next(reader, [])))
    return set()


def _unquoted(field: bytes) -> bytes:
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field


def first_difference(names: Sequence[str], others: Sequence[str]) -> str:
    """Return where two headers first differ, as words; empty where they do not.

    Parameters
    ----------
    names
        The header that is expected.
    others
        The header that was found.
    """
    for place, (name, other) in enumerate(zip_longest(names, others), 1):
        if name is None:
            return f"column {place}, {quote(other)}, is one too many"
        if other is None:
            return f"column {place}, {quote(name)}, is missing"
        if name != other:
            return f"column {place} is {quote(other)} and not {quote(name)}"
    return ""
