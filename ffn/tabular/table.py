"""A whole CSV file as columns of text, for training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError, quote
from ffn.tabular.headers import check_for_training
from ffn.tabular.records import Records
from ffn.tabular.rejects import Reject
from ffn.tabular.sources import open_source

__all__ = ["Table", "no_rows", "read_table", "refusal"]


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


def read_table(path: Path, *, delimiter: str = ",") -> Table:
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
        records = Records(source, str(path), delimiter=delimiter)
        header = records.header.names
        check_for_training(records.header, str(path))
        columns: dict[str, list[str]] = {name: [] for name in header}
        lines: list[int] = []
        for block in records:
            if block.rejects:
                raise refusal(path, block.rejects[0])
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


def refusal(path: Path, reject: Reject) -> DataError:
    """Return what training says of a record that cannot be read."""
    return DataError(
        f"{path} row {reject.row} (line {reject.line}): {reject.detail}, in "
        f"{quote(reject.value)}. Correct or remove that row; training skips none by itself."
    )
