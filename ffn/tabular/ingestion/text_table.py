"""Read a whole CSV file as text columns, and refuse files that cannot be trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError, SettingsError, quote
from ffn.storage.compression import DecompressingReader
from ffn.storage.source import open_source
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.charsets import reading_of, strange_bytes
from ffn.tabular.csv.header import check_for_training
from ffn.tabular.csv.header_search import header_hint, uneven_hint
from ffn.tabular.csv.parsing.rejects import Reason, Reject
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion.unnamed_columns import UnnamedColumns

__all__ = ["Table", "no_rows", "read_table", "refusal"]

_READ_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Table:
    """All records of a CSV file.

    Attributes
    ----------
    path
        The file.
    header
        Trimmed column names in the order of the file, except those of unnamed columns.
    columns
        Cell texts [n] by column name, exactly as in the file apart from CSV quotes.
    lines
        Physical line on which each record begins [n]. Record ``i`` is row ``i + 1``.
    source_sha256
        Digest of the file.
    """

    path: Path
    header: tuple[str, ...]
    columns: dict[str, list[str]]
    lines: list[int]
    source_sha256: str


def read_table(
    path: Path,
    *,
    delimiter: str = ",",
    encoding: str | None = None,
    target: str | None = None,
    exclude: Sequence[str] = (),
) -> Table:
    """Read a whole CSV file. Unlike scoring, training never drops a row: it refuses the file.

    Parameters
    ----------
    path
        The CSV file.
    delimiter
        One of `DELIMITERS`.
    encoding
        One of `ENCODINGS`; None (the default): UTF-8, or the encoding of a byte order mark.
    target
        A column that must exist; None (the default) checks nothing.
    exclude
        Columns that are not needed; ``""`` allows columns without a name to have values.

    Raises
    ------
    DataError
        The file is missing or unreadable, is not a CSV file, changes while it is read, has no
        rows, has a single column because its delimiter is another, or has a record that
        `ffn.tabular.csv.reader` rejects (the message names the first). A column without a name
        has values.
    SettingsError
        The delimiter is not supported, or the target does not exist.
    """
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=delimiter, given_encoding=encoding)
        names = records.header.names
        hint = ""
        if target is not None and target not in names:
            hint = header_hint(records.header, str(path), delimiter, [target])
        check_for_training(records.header, str(path), hint)
        if target is not None and target not in names:
            found = f".{hint}" if hint else columns_found(target, names)
            raise SettingsError(f"{path} has no column {quote(target)}{found}")
        unnamed = UnnamedColumns(names, excluded="" in exclude)
        columns: dict[str, list[str]] = {name: [] for name in names if name}
        places = [(names.index(name), cells) for name, cells in columns.items()]
        lines: list[int] = []
        for block in records:
            if block.rejects:
                raise refusal(path, block.rejects[0], records)
            for position, cells in places:
                cells += block.cells(position)
            unnamed.read(block)
            lines += block.lines.tolist()
        source.check_unchanged()
    if not lines:
        raise no_rows(path)
    # Training reports the columns that are left out.
    unnamed.check(path.name)
    return Table(path, tuple(columns), columns, lines, source.sha256)


def no_rows(path: Path) -> DataError:
    """Return the error for a training file, ``path``, without rows."""
    return DataError(f"{path} has a header and no rows. Add labelled rows to train on.")


def refusal(path: Path, reject: Reject, records: Records) -> DataError:
    """Return the error for a training file with a rejected record.

    Parameters
    ----------
    path
        The file.
    reject
        The record.
    records
        Reader that rejected it.
    """
    line = f"line {reject.line}"
    if reject.lines > 1:
        line = f"lines {reject.line} to {reject.line + reject.lines - 1}"
    where = f"{path} row {reject.row} ({line})"
    if reject.reason is Reason.UNDECODABLE and records.encoding == "utf-8":
        return DataError(f"{where}: {_not_utf8(path)}.")
    if reject.row == 1 and reject.reason is Reason.WRONG_FIELD_COUNT:
        # In the first row, the header may be wrong.
        hint = uneven_hint(records.header, str(path), records.delimiter)
        if hint:
            return DataError(f"{where}: {reject.detail}, in {quote(reject.value)}.{hint}")
    return DataError(
        f"{where}: {reject.detail}, in {quote(reject.value)}. Correct or remove that row; training "
        "never skips a row."
    )


def _not_utf8(path: Path) -> str:
    """Describe the first line that is not UTF-8, and encodings that fit the whole file."""
    counts: Counter[int] = Counter()
    first = rest = b""
    with open_source(path) as source:
        stream = DecompressingReader(source, str(path))
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
