"""Write the files of a table, CSV or Parquet, one after another as lines of CSV."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from ffn.errors import DataError, quote
from ffn.extraction.csv_text import csv_lines
from ffn.extraction.table_files import TableFile
from ffn.storage.descriptors import open_regular
from ffn.storage.source import Source, open_source
from ffn.tabular.columns.arrow_texts import family_of, moment_without_text, plain_texts
from ffn.tabular.csv.header import check_distinct, check_for_training, first_difference
from ffn.tabular.csv.reader import Records
from ffn.tabular.csv.writer import quoted, write_record
from ffn.tabular.ingestion.text_table import refusal
from ffn.tabular.parquet.decoding_process import DecodedParquet

__all__ = ["Dialect", "JoinedFiles", "columns_of_file", "digest_of"]

_PARQUET = b"PAR1"


class Dialect(NamedTuple):
    """How CSV is read and written: as ``[data]`` says.

    Attributes
    ----------
    delimiter, decimal
        Character between fields, and decimal mark of numbers.
    encoding
        Character encoding; None for UTF-8, or what the byte order mark of a file says.
    """

    delimiter: str
    decimal: str
    encoding: str | None


class JoinedFiles:
    """Writer of files one after another, all with the columns of the first one.

    Parameters
    ----------
    dialect
        How CSV is read and written.
    write
        Takes the text: the header, then whole lines.

    Attributes
    ----------
    mode
        Permissions that all files have.
    """

    def __init__(self, dialect: Dialect, write: Callable[[str], object]) -> None:
        self._dialect, self._write = dialect, write
        self.mode = 0o777
        self._names: tuple[str, ...] | None = None
        self._first = ""
        # What each column of a Parquet file holds, its type, and the file that was the first to
        # say so.
        self._families: dict[str, tuple[str, object, str]] = {}

    def append(self, file: TableFile, sha256: str) -> int:
        """Write the rows of a file, and return their number.

        Parameters
        ----------
        file
            The file.
        sha256
            Digest that it must have.

        Raises
        ------
        DataError
            The file cannot be read, or changed; its columns are not those of the first file, two
            have one name, or one has cells that are no plain values; a record of a CSV file is not
            sound.
        """
        with _opened(file) as source:
            self.mode &= source.status.st_mode
            if source.peek(len(_PARQUET)) == _PARQUET:
                if source.read_through() != sha256:
                    raise _changed(file)
                rows = self._append_parquet(file, source)
                source.check_untouched()
            else:
                rows = self._append_csv(file, source)
                source.check_unchanged()
                if source.sha256 != sha256:
                    raise _changed(file)
        return rows

    def _append_parquet(self, file: TableFile, source: Source) -> int:
        name, rows = str(file.path), 0
        delimiter, decimal, _ = self._dialect
        with DecodedParquet.opened(source.shared, name) as table:
            names = table.header.names
            check_distinct(table.header, filter(None, names), name)
            if len(names) + len(file.partition) < 2:
                raise DataError(
                    f"{name} has {len(names)} column. Give a table with a label column and at "
                    "least one feature."
                )
            self._begin(file, names)
            self._check_families(file, table.schema)
            where = [(name, column) for column in names]
            values = [pa.scalar(value, pa.large_string()) for _, value in file.partition]
            for batch in table.batches():
                columns = [
                    _texts(column, place, decimal, rows)
                    for column, place in zip(batch.columns, where, strict=True)
                ]
                columns += [pa.repeat(value, batch.num_rows) for value in values]
                self._write(csv_lines(columns, delimiter))
                rows += batch.num_rows
        return rows

    def _append_csv(self, file: TableFile, source: Source) -> int:
        name = str(file.path)
        delimiter, _, encoding = self._dialect
        records = Records(source, name, delimiter=delimiter, given_encoding=encoding)
        check_for_training(records.header, name)
        self._begin(file, records.header.names)
        end = "".join(f"{delimiter}{quoted(value, delimiter)}" for _, value in file.partition)
        suffix = f"{end}\n".encode()
        for block in records:
            if block.rejects:
                raise refusal(file.path, block.rejects[0], records)
            # As they are in the file: quotes and digits stay.
            self._write(b"".join([record + suffix for record in block.records()]).decode())
        return records.rows

    def _begin(self, file: TableFile, own: Sequence[str]) -> None:
        """Write the header, or compare that of a further file."""
        added = [column for column, _ in file.partition]
        for column in added:
            if column in own:
                raise DataError(
                    f"{file.path} has a column {quote(column)}, which its folders name, too. "
                    "Rename one."
                )
        names = (*own, *added)
        if self._names is None:
            self._names, self._first = names, file.name
            self._write(write_record(names, self._dialect.delimiter) + "\n")
        elif names != self._names:
            raise DataError(
                f"{file.path} must have the columns of {self._first}, the first file: "
                f"{first_difference(self._names, names)}."
            )

    def _check_families(self, file: TableFile, schema: pa.Schema) -> None:
        for field in schema:
            family = family_of(field.type)
            if family is None:
                continue
            known, of, first = self._families.setdefault(
                field.name, (family, field.type, file.name)
            )
            if known != family:
                raise DataError(
                    f"{file.path}, column {quote(field.name)}: {family} ({field.type}), and "
                    f"{known} ({of}) in {first}. Give all files columns of one kind."
                )


def _texts(column: Any, where: tuple[str, str], decimal: str, rows: int) -> Any:
    """Return a column as texts; ``rows`` of the table are before it."""
    name, header = where
    named = f"column {quote(header)}"
    texts = plain_texts(column, f"{name}, {named}", decimal)
    if (beyond := moment_without_text(column, texts)) is not None:
        place, found = beyond
        raise DataError(
            f"{name} row {rows + place + 1}, {named}: {quote(found)} is no date that a calendar "
            "has, and no time of day before 24:00. Give a value that is one, or none."
        )
    return texts


def columns_of_file(file: TableFile, dialect: Dialect) -> tuple[str, ...]:
    """Return the column names of a file, those that its folders give included.

    Parameters
    ----------
    file
        The file.
    dialect
        How CSV is read.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    added = (column for column, _ in file.partition)
    with _opened(file) as source:
        if source.peek(len(_PARQUET)) == _PARQUET:
            with DecodedParquet.opened(source.shared, str(file.path)) as table:
                return (*table.header.names, *added)
        records = Records(
            source, str(file.path), delimiter=dialect.delimiter, given_encoding=dialect.encoding
        )
        return (*records.header.names, *added)


def digest_of(file: TableFile) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises ``DataError`` if it cannot be read."""
    with _opened(file) as source:
        return source.read_through()


@contextlib.contextmanager
def _opened(file: TableFile) -> Iterator[Source]:
    """Open a file; one that a folder or pattern gave is no link, and must not have become one."""
    if file.given:
        with open_source(file.path) as source:
            yield source
        return
    try:
        stream = os.fdopen(open_regular(file.path), "rb")
    except OSError as error:
        raise DataError(f"{file.path} cannot be read: {error.strerror}.") from None
    with stream:
        yield Source(stream, str(file.path))


def _changed(file: TableFile) -> DataError:
    return DataError(f"{file.path} changed while it was read. Try again when nothing writes to it.")
