"""Parquet files, some thousand rows at a time, and columns of texts as CSV."""

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

__all__ = ["MOST_ROWS", "ParquetTable", "as_csv", "as_header", "numbered"]

MOST_ROWS = 8_192
"""Rows that are in memory at a time, at most."""

# Where there are many columns: so many values, but not fewer rows.
_FEWEST_ROWS, _VALUES = 1_024, 2**21
# A column's bytes are read in such pieces, however large its row groups are.
_BUFFER = 1024 * 1024
# Letters of a cell that are read, longer than any category; and bytes of a record, of which a
# letter takes four at most. It stays below the longest that is read.
_LETTERS, _RECORD_BYTES = 100_000, 15 * 1024 * 1024


class ParquetTable:
    """An open Parquet file.

    Attributes
    ----------
    schema
        Its columns and what belongs to them, as ``pyarrow`` has it.
    header
        The same names as a CSV file would have them.
    rows
        Count of rows.

    Raises
    ------
    DataError
        It cannot be read.
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
            In a batch.
        skip
            Rows to leave out at the beginning.

        Raises
        ------
        DataError
            The file is damaged.
        MemoryError
            There is not enough for so many rows.
        """
        width = max(1, len(self.schema.names))
        rows = min(most_rows, max(_FEWEST_ROWS, _VALUES // width))
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
                    # What is no UTF-8 would be found by whoever looks at a cell.
                    batch.validate(full=True)
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
    """Return a schema with plain texts and bytes instead of views, which few kernels take."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in schema]
    return pa.schema(fields, schema.metadata)


def as_header(names: Sequence[str]) -> Header:
    """Return column names as the header of a CSV file that has them."""
    line = write_record(names).encode()
    fields = tuple(write_record([name]).encode() for name in names)
    return Header(tuple(map(trim, names)), fields, line, b"\n")


def as_csv(texts: Sequence[Any], names: Sequence[str]) -> bytes:
    """Return columns as the text of a CSV file with a header.

    Parameters
    ----------
    texts
        Arrays of texts, of ``pyarrow``; null is an empty cell.
    names
        As ``numbered`` returns them.
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
    """Return ``names`` behind another one, of a column that is never empty.

    So no row is a blank line, whatever its cells hold.
    """
    name = "row"
    while name in names:
        name += "_"
    return [name, *names]
