"""The first record of a CSV file: the names of its columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ffn.errors import DataError, quote
from ffn.tabular.cells import trim
from ffn.tabular.rejects import DETAILS
from ffn.tabular.structure import Record

__all__ = [
    "DELIMITERS",
    "Header",
    "check_separated",
    "header_error",
    "parse_header",
    "separator_hint",
]

# None of them can stand in a number.
DELIMITERS = (",", ";", "\t", "|", ":")


@dataclass(frozen=True)
class Header:
    """The first record.

    Attributes
    ----------
    names
        Column names [C] without the spaces and tabs around them; no two are equal.
    fields
        The names as they stand in the file (as UTF-8) [C].
    text
        The record as in the file (as UTF-8), without byte order mark and line end.
    line_end
        Its line end; empty if the file ends there.
    """

    names: tuple[str, ...]
    fields: tuple[bytes, ...]
    text: bytes
    line_end: bytes


def parse_header(text: bytes, start: int, record: Record, name: str, where: str) -> Header:
    """Return the header that stands in ``text`` from ``start`` on.

    Parameters
    ----------
    name, where
        What errors call the file, and the line.

    Raises
    ------
    DataError
        It is at fault or has equal names.
    """
    line = text[start : record.end]
    if record.fault is not None:
        raise header_error(where, DETAILS[record.fault])
    if b"\0" in line:
        raise header_error(where, "a NUL byte: binary data, or UTF-16 without its mark")
    cuts = [-1, *(position - start for position in record.delimiters), len(line)]
    fields = tuple(line[a + 1 : b] for a, b in pairwise(cuts))
    try:
        names = tuple(trim(_unquoted(field).decode()) for field in fields)
    except UnicodeDecodeError:
        raise header_error(where, "bytes that are no text. Save the file as UTF-8") from None
    repeated, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(
            f"{name}: {count} columns are named {quote(repeated)}. "
            "Give every column a name of its own."
        )
    return Header(names, fields, line, text[record.end : record.stop])


def header_error(where: str, detail: str) -> DataError:
    """Return the refusal of a header."""
    return DataError(f"{where}: the header has {detail}.")


def check_separated(header: Header, name: str) -> None:
    """Refuse, for training, a header that is one column because its separator is another."""
    if hint := separator_hint(header):
        raise DataError(f"{name} has only one column.{hint}")


def separator_hint(header: Header) -> str:
    """Return what to say of a header that is one column and looks like more, or nothing."""
    if len(header.names) > 1:
        return ""
    found = max(DELIMITERS, key=lambda delimiter: header.names[0].count(delimiter))
    if found not in header.names[0]:
        return ""
    shown = "a tab" if found == "\t" else quote(found)
    return f" The header looks separated by {shown}: give that as the delimiter."


def _unquoted(field: bytes) -> bytes:
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field
