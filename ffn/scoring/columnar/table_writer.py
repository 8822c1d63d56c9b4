"""Write scored batches of a table to a Parquet file or to a CSV file."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ffn.errors import DataError, quote
from ffn.extraction.csv_text import quoted_cells
from ffn.scoring.columnar.added_arrays import AddedArrays
from ffn.scoring.columnar.piece import Piece
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.suffixes import Suffixes
from ffn.storage.hashed_file import HashedFile
from ffn.tabular.columns.arrow_texts import as_texts, moment_without_text
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.writer import write_record

__all__ = ["CsvSink", "ParquetSink", "Sink"]

# A row group is written when it has so many rows or bytes.
_GROUP_ROWS, _GROUP_BYTES = 2**17, 2**23


class Sink(Protocol):
    """Destination of scored batches, which arrive in order."""

    def write(self, piece: Piece, /) -> None:
        """Append ``piece``, a batch of scored rows."""
        ...

    def finish(self) -> None:
        """Write what is buffered, and the end of the file."""
        ...

    def abandon(self) -> None:
        """Stop writing, and leave the file as it is."""
        ...


class ParquetSink:
    """A Parquet file: columns keep their types, and `AddedArrays` are appended.

    Parameters
    ----------
    file
        The file to write, at its beginning.
    schema
        Arrow schema of the batches.
    model
        The model, of which schema and rule are used.
    options
        Options of scoring.
    """

    def __init__(self, file: HashedFile, schema: Any, model: Scorer, options: Options) -> None:
        self._added = AddedArrays(
            model, probabilities=options.probabilities, explain=options.explain
        )
        self._schema = schema
        for field in self._added.fields:
            self._schema = self._schema.append(field)
        self._writer = pq.ParquetWriter(_Handle(file), self._schema)
        self._waiting: list[Any] = []

    def write(self, piece: Piece) -> None:
        """Append ``piece``, a batch of scored rows; a full row group is written to the file."""
        added = self._added.arrays(
            piece.labels, piece.probabilities, piece.confidences, piece.abstained, piece.reasons
        )
        columns = [*piece.batch.columns, *added]
        self._waiting.append(pa.record_batch(columns, schema=self._schema))
        rows = sum(batch.num_rows for batch in self._waiting)
        if rows >= _GROUP_ROWS or sum(batch.nbytes for batch in self._waiting) >= _GROUP_BYTES:
            self._write_group()

    def finish(self) -> None:
        """Write the last row group, and the end of the file."""
        self._write_group()
        self._writer.close()

    def abandon(self) -> None:
        """Close the writer without completing the file."""
        # Otherwise its finalizer would write to a file that is closed by then.
        with contextlib.suppress(Exception):
            self._writer.close()

    def _write_group(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
            self._waiting = []


class CsvSink:
    """A CSV file in UTF-8 with LF line ends; cells are texts, quoted only where necessary.

    Parameters
    ----------
    file
        The file to write, at its beginning.
    schema
        Arrow schema of the batches.
    model
        The model, of which schema and rule are used.
    options
        Options of scoring.
    name
        Name of the input in errors.
    """

    def __init__(
        self, file: HashedFile, schema: Any, model: Scorer, options: Options, name: str
    ) -> None:
        self._file, self._name = file, name
        self._delimiter, self._decimal = options.delimiter, options.decimal
        guard = FormulaGuard(options.decimal) if options.escape_formulas else None
        self._guard = guard
        self._names = schema.names
        self._suffixes = Suffixes(
            model.schema,
            options.delimiter,
            probabilities=options.probabilities,
            decimal=options.decimal,
            guard=guard,
            rule=model.rule,
            explain=options.explain,
        )
        line = self._record(schema.names) + self._suffixes.header.encode() + b"\n"
        file.write(line)

    def write(self, piece: Piece) -> None:
        """Append ``piece``, a batch of scored rows."""
        columns = [
            self._texts(column, f"column {quote(column_name)}")
            for column, column_name in zip(piece.batch.columns, self._names, strict=True)
        ]
        ends, _ = self._suffixes.texts(
            piece.labels, piece.probabilities, piece.confidences, piece.abstained, piece.reasons
        )
        if self._guard is None and columns:
            self._file.write(_lines(columns, ends, self._delimiter))
            return
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        self._file.write(
            b"".join(self._record(row) + end + b"\n" for row, end in zip(rows, ends, strict=True))
        )

    def finish(self) -> None:
        """Do nothing: every line is written already."""

    def abandon(self) -> None:
        """Do nothing: the caller closes the file."""

    def _texts(self, column: Any, named: str) -> Any:
        texts = as_texts(column, f"{self._name}, {named}", self._decimal)
        if (beyond := moment_without_text(column, texts)) is not None:
            raise DataError(
                f"{self._name}, {named}: {quote(beyond[1])} is no date that a calendar has, and "
                "cannot be written as CSV. Give a value that is one, or none, or an --output that "
                "ends in .parquet."
            )
        return texts

    def _record(self, row: Any) -> bytes:
        cells = ["" if cell is None else cell for cell in row]
        if self._guard:
            cells = list(map(self._guard.text, cells))
        return write_record(cells, self._delimiter).encode()


def _lines(columns: list[Any], ends: list[bytes], delimiter: str) -> bytes:
    """Return rows of texts as lines of CSV, each with its own of the ``ends``."""
    if not ends:
        return b""
    cells = [quoted_cells(column.cast(pa.large_string()), delimiter) for column in columns]
    between, line_end, nothing = (
        pa.scalar(text, pa.large_string()) for text in (delimiter, "\n", "")
    )
    last = pa.array(ends, pa.large_binary()).cast(pa.large_string())
    rows = pc.binary_join_element_wise(*cells, between) if len(cells) > 1 else cells[0]
    lines = pc.binary_join_element_wise(rows, last, line_end, nothing)
    _, offsets, text = lines.buffers()
    size = int(np.frombuffer(offsets, dtype=np.int64)[lines.offset + len(lines)])
    return bytes(memoryview(text)[:size])


class _Handle:
    """The part of a file object's interface that Arrow's Parquet writer uses."""

    closed = False

    def __init__(self, file: HashedFile) -> None:
        self._file = file

    def write(self, content: Any) -> int:
        self._file.write(bytes(content))
        return len(content)
