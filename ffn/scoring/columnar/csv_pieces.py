"""Read and score CSV files in batches, to be written as Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from ffn.scoring.columnar.piece import Piece, confidence_units_of
from ffn.scoring.output.manifest import input_of
from ffn.scoring.rows.layout import find_column
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.storage.source import Source
from ffn.tabular.csv.header import check_distinct
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.reader import Records

__all__ = ["CsvPieces", "RangePieces"]


class CsvPieces:
    """A CSV file, scored batch by batch; its cells become texts without quotes.

    Parameters
    ----------
    stream
        The input.
    records
        Reader of ``stream``.
    model
        The model that scores it.
    options
        Options of scoring.
    name
        Name of the input in errors.
    given
        As for `ParquetPieces`.

    Attributes
    ----------
    stream, name
        As given.
    schema
        Arrow schema of the columns that the output keeps.
    columns
        Names of the columns of the file.
    tally
        Counts so far.

    Raises
    ------
    DataError
        The header does not match the model's schema, or repeats a kept name.
    """

    def __init__(
        self,
        stream: Source,
        records: Records,
        model: Scorer,
        options: Options,
        name: str,
        given: Sequence[tuple[str, str]] = (),
    ) -> None:
        header = records.header
        self.stream, self.name = stream, name
        self._records = records
        self._scorer = RowScorer(model, header, options, name, given)
        self.tally = self._scorer.new_tally()
        self.columns = list(header.names)
        self._kept = list(range(len(header.names)))
        if options.only_id is not None:
            self._kept = [find_column(header, options.only_id, name)]
        # Parquet columns are found by name.
        check_distinct(header, [header.names[column] for column in self._kept], name)
        self.schema = pa.schema([(header.names[column], pa.string()) for column in self._kept])

    def __iter__(self) -> Iterator[Piece]:
        """Yield every piece, in order."""
        for block in self._blocks():
            self.tally.began = self._records.began
            found = self._scorer.label(block)
            found.add_to(self.tally, confidence_units_of(found))
            cells = [pa.array(found.good.cells(column), pa.string()) for column in self._kept]
            yield Piece(
                pa.record_batch(cells, schema=self.schema),
                found.labels,
                found.probabilities,
                found.confidences,
                found.abstained,
                b"".join(map(self._scorer.reject_line, found.rejects)),
                found.reasons,
            )

    def _blocks(self) -> Iterator[Block]:
        return self._records.blocks()

    @property
    def bytes_read(self) -> int:
        """Bytes of the input so far."""
        return self.stream.bytes_read

    def check(self) -> None:
        """Raise ``DataError`` if the file changed while it was read."""
        self.stream.check_unchanged()
        self.tally.check_rows(self._records.rows)

    def input(self) -> dict[str, Any]:
        """Return the manifest's entry for the input."""
        return input_of(self.name, self.stream, self._records)


class RangePieces(CsvPieces):
    """The records of a CSV file that begin before a byte, from where its reader is.

    Parameters
    ----------
    stream, records, model, options, name
        As for `CsvPieces`.
    until
        The byte; None for the end of the file.

    Raises
    ------
    DataError
        As for `CsvPieces`.
    """

    def __init__(
        self,
        stream: Source,
        records: Records,
        model: Scorer,
        options: Options,
        name: str,
        until: int | None,
    ) -> None:
        super().__init__(stream, records, model, options, name)
        self._until = until

    def _blocks(self) -> Iterator[Block]:
        return self._records.blocks(self._until)

    def check(self) -> None:
        """Raise ``DataError`` if the file changed while it was read."""
        self.stream.check_untouched()
