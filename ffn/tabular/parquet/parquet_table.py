"""Read Parquet files in batches, and convert text columns to CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from ffn.errors import DataError
from ffn.tabular.cells import trim
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.writer import write_record
from ffn.tabular.parquet.invalid_cells import check_cells

__all__ = ["MOST_ROWS", "ParquetTable", "as_csv", "as_header", "numbered"]

MOST_ROWS = 8_192
"""Largest number of rows in a batch."""

# With many columns, a batch has at most so many values, but not fewer than so many rows.
_FEWEST_ROWS, _VALUES = 1_024, 2**21
# Bytes of a column that are read at a time, independent of the size of row groups.
_BUFFER = 1024 * 1024
# Characters of a cell that are kept, more than any category has; and bytes of a record, below the
# reader's limit. A character has at most four bytes.
_LETTERS, _RECORD_BYTES = 100_000, 15 * 1024 * 1024


class ParquetTable:
    """An open Parquet file.

    Parameters
    ----------
    file
        Seekable binary file.
    name
        Name of the file in errors.

    Attributes
    ----------
    schema
        The ``pyarrow`` schema, with plain types in place of views.
    header
        The header that a CSV file of the same columns would have.
    rows
        Number of rows.

    Raises
    ------
    DataError
        The file cannot be read.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._name = name
        try:
            self._file = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
            self.schema = _without_views(self._file.schema_arrow)
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._unreadable(error) from None
        self.rows: int = self._file.metadata.num_rows
        self.header = as_header(self.schema.names)

    def batches(self, *, most_rows: int = MOST_ROWS, skip: int = 0) -> Iterator[Any]:
        """Yield record batches, in order.

        Parameters
        ----------
        most_rows
            Largest number of rows in a batch.
        skip
            Number of rows to skip at the beginning.

        Raises
        ------
        DataError
            The file is damaged.
        MemoryError
            There is not enough memory for a batch of this size.
        """
        width = max(1, len(self.schema.names))
        rows = min(most_rows, max(_FEWEST_ROWS, _VALUES // width))
        before = skip
        groups, metadata = list(range(self._file.num_row_groups)), self._file.metadata
        while groups and skip >= (there := metadata.row_group(groups[0]).num_rows):
            skip -= there
            del groups[0]
        batches = self._file.iter_batches(rows, row_groups=groups, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                if batch is not None:
                    left_out = min(skip, batch.num_rows)
                    batch, skip = batch.slice(left_out), skip - left_out
                    check_cells(batch, self._name, before)
                    before += batch.num_rows
                    batch = batch.cast(_without_views(batch.schema))
            except MemoryError:
                raise
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._unreadable(error) from None
            if batch is None:
                return
            yield batch

    def _unreadable(self, error: Exception) -> DataError:
        first = next(iter(str(error).splitlines()), "")
        return DataError(f"{self._name} is a Parquet file that cannot be read: {first}.")


def _without_views(schema: Any) -> Any:
    """Return the schema with plain text and bytes types for views, which few kernels support."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in schema]
    return pa.schema(fields, schema.metadata)


def as_header(names: Sequence[str]) -> Header:
    """Return the header that a CSV file with the column ``names`` would have."""
    line = write_record(names).encode()
    fields = tuple(write_record([name]).encode() for name in names)
    return Header(tuple(map(trim, names)), fields, line, b"\n")


def as_csv(texts: Sequence[Any], names: Sequence[str]) -> bytes:
    """Convert text columns to a CSV file with a header, as UTF-8.

    Parameters
    ----------
    texts
        ``pyarrow`` text arrays [n]; null becomes an empty cell.
    names
        Column names as returned by `numbered`, one more than ``texts``.
    """
    letters = min(_LETTERS, _RECORD_BYTES // (4 * max(1, len(texts))))
    cells = [pc.utf8_slice_codeunits(column, 0, letters) for column in texts]
    zeros = pa.repeat(pa.scalar(0, pa.int8()), len(cells[0]))
    batch = pa.record_batch([zeros, *cells], names=[str(n) for n in range(len(cells) + 1)])
    content = io.BytesIO()
    content.write(write_record(names).encode() + b"\n")
    pyarrow.csv.write_csv(batch, content, pyarrow.csv.WriteOptions(include_header=False))
    return content.getvalue()


def numbered(names: Sequence[str]) -> list[str]:
    """Return ``names`` with the name of an additional first column that is never empty.

    With it, no row becomes a blank line, whatever its cells hold.
    """
    name = "row"
    while name in names:
        name += "_"
    return [name, *names]
