"""Write scored batches of a table to a Parquet file or to a CSV file."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ffn.errors import quote
from ffn.scoring.columnar.table_reader import Piece
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.suffixes import UNITS, Suffixes, added_columns
from ffn.storage.hashed_file import HashedFile
from ffn.tabular.columns.arrow_texts import as_texts
from ffn.tabular.columns.class_labels import class_labels
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.writer import write_record
from ffn.tabular.schema import Schema

__all__ = ["CsvSink", "ParquetSink", "Sink"]

# Rows and bytes of a row group.
_GROUP_ROWS, _GROUP_BYTES = 2**17, 2**23


class Sink(Protocol):
    """Destination of scored batches, which arrive in order."""

    def write(self, piece: Piece, /) -> None:
        """Append a piece."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...

    def abandon(self) -> None:
        """Stop writing, and leave the file as it is."""
        ...


class ParquetSink:
    """A Parquet file: the columns as they are, labels of their own type, shares as numbers.

    Parameters
    ----------
    schema
        Of the pieces.
    """

    def __init__(self, file: HashedFile, schema: Any, model: Schema, options: Options) -> None:
        label, *shares = added_columns(model, probabilities=options.probabilities)
        # Whole numbers if every label is one, else texts.
        self._classes = pa.array(class_labels(model.classes))
        self._schema = schema.append(pa.field(label, self._classes.type))
        for share in shares:
            self._schema = self._schema.append(pa.field(share, pa.float64()))
        self._every = options.probabilities
        self._writer = pq.ParquetWriter(_Handle(file), self._schema)
        self._waiting: list[Any] = []

    def write(self, piece: Piece) -> None:
        """Append a piece; so many rows make a row group."""
        # As text has them: four decimals.
        shares = np.rint(piece.probabilities * UNITS) / UNITS
        confidence = shares[np.arange(len(shares)), piece.labels]
        added = [confidence, *(shares.T if self._every else ())]
        columns = [*piece.batch.columns, self._classes.take(pa.array(piece.labels))]
        columns += [pa.array(np.ascontiguousarray(share)) for share in added]
        self._waiting.append(pa.record_batch(columns, schema=self._schema))
        rows = sum(batch.num_rows for batch in self._waiting)
        if rows >= _GROUP_ROWS or sum(batch.nbytes for batch in self._waiting) >= _GROUP_BYTES:
            self._write_group()

    def finish(self) -> None:
        """Write the last row group, and the end of the file."""
        self._write_group()
        self._writer.close()

    def abandon(self) -> None:
        """Let go of the file."""
        # Left to itself the writer would do it later, into a file that is closed.
        with contextlib.suppress(Exception):
            self._writer.close()

    def _write_group(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
            self._waiting = []


class CsvSink:
    """A CSV file of UTF-8 with LF: cells as texts, quoted where they must be.

    Parameters
    ----------
    name
        What errors call the input.
    """

    def __init__(
        self, file: HashedFile, schema: Any, model: Schema, options: Options, name: str
    ) -> None:
        self._file, self._name = file, name
        self._delimiter, self._decimal = options.delimiter, options.decimal
        guard = FormulaGuard(options.decimal) if options.escape_formulas else None
        self._guard = guard
        self._names = schema.names
        self._suffixes = Suffixes(
            model,
            options.delimiter,
            probabilities=options.probabilities,
            decimal=options.decimal,
            guard=guard,
        )
        line = self._record(schema.names) + self._suffixes.header.encode() + b"\n"
        file.write(line)

    def write(self, piece: Piece) -> None:
        """Append a piece."""
        columns = [
            as_texts(
                column, f"{self._name}, column {quote(column_name)}", self._decimal
            ).to_pylist()
            for column, column_name in zip(piece.batch.columns, self._names, strict=True)
        ]
        ends, _ = self._suffixes.texts(piece.labels, piece.probabilities)
        rows = zip(*columns, strict=True)
        self._file.write(
            b"".join(self._record(row) + end + b"\n" for row, end in zip(rows, ends, strict=True))
        )

    def finish(self) -> None:
        """Do nothing: every line is written."""

    def abandon(self) -> None:
        """Do nothing: the file is another's."""

    def _record(self, row: Any) -> bytes:
        cells = ["" if cell is None else cell for cell in row]
        if self._guard:
            cells = list(map(self._guard.text, cells))
        return write_record(cells, self._delimiter).encode()


class _Handle:
    """As much of an open file as a writer of Parquet asks for."""

    closed = False

    def __init__(self, file: HashedFile) -> None:
        self._file = file

    def write(self, content: Any) -> int:
        self._file.write(bytes(content))
        return len(content)
