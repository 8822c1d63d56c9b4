"""A whole CSV file as columns of text, for training."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError, quote
from ffn.tabular.charsets import reading_of, strange_bytes
from ffn.tabular.compression import Unpacked
from ffn.tabular.headers import check_for_training
from ffn.tabular.records import Records
from ffn.tabular.rejects import Reason, Reject
from ffn.tabular.sources import open_source

__all__ = ["Table", "no_rows", "read_table", "refusal"]

_READ_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Table:
    """Every record of a CSV file.

    Attributes
    ----------
    path
        The file.
    header
        Column names, in the order of the file, without the spaces and tabs around them.
    columns
        Cell texts by column name, each [n], exactly as in the file but for csv quotes.
    lines
        Physical line on which each record begins [n]. Record ``i`` is row ``i + 1``.
    source_sha256
        Digest of the bytes that were read, which are the whole file.
    """

    path: Path
    header: tuple[str, ...]
    columns: dict[str, list[str]]
    lines: list[int]
    source_sha256: str


def read_table(path: Path, *, delimiter: str = ",", encoding: str | None = None) -> Table:
    """Read a CSV file. Unlike scoring, training drops no row: a bad one refuses the file.

    Raises
    ------
    DataError
        The file is missing or unreadable, is not a CSV file, changes while it is read, has
        no rows, has one column only because its delimiter is another, or has a record that
        `ffn.tabular.records` rejects (the first is named).
    SettingsError
        The delimiter is not one that is supported.
    """
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=delimiter, given_encoding=encoding)
        header = records.header.names
        check_for_training(records.header, str(path))
        columns: dict[str, list[str]] = {name: [] for name in header}
        lines: list[int] = []
        for block in records:
            if block.rejects:
                raise refusal(path, block.rejects[0], records)
            for position, cells in enumerate(columns.values()):
                cells += block.cells(position)
            lines += block.lines.tolist()
        source.check_unchanged()
    if not lines:
        raise no_rows(path)
    return Table(path, header, columns, lines, source.sha256)


def no_rows(path: Path) -> DataError:
    """Return what training says of a header alone."""
    return DataError(f"{path} has a header and no rows. Give it labelled rows to train on.")


def refusal(path: Path, reject: Reject, records: Records) -> DataError:
    """Return what training says of a record that cannot be read."""
    line = f"line {reject.line}"
    if reject.lines > 1:
        line = f"lines {reject.line} to {reject.line + reject.lines - 1}"
    where = f"{path} row {reject.row} ({line})"
    if reject.reason is Reason.UNDECODABLE and records.encoding == "utf-8":
        return DataError(f"{where}: {_not_utf8(path)}.")
    return DataError(
        f"{where}: {reject.detail}, in {quote(reject.value)}. Correct or remove that row; training "
        "skips none by itself."
    )


def _not_utf8(path: Path) -> str:
    """Say what the first line of a file that is not UTF-8 holds, and which encoding fits all."""
    counts: Counter[int] = Counter()
    first = rest = b""
    with open_source(path) as source:
        stream = Unpacked(source, str(path))
        while chunk := stream.read(_READ_AT_ONCE):
            counts.update(strange_bytes(chunk))
            if not first:
                *lines, rest = (rest + chunk).splitlines()
                first = next(filter(_is_strange, lines), b"")
    return reading_of(first or rest, counts)


def _is_strange(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False
