"""Read and score tables in batches: Parquet files, and CSV files to be written as Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ffn.attribution.reasons import Reasons
from ffn.errors import DataError, quote
from ffn.scoring.output.manifest import input_of
from ffn.scoring.rows.contract import match_header
from ffn.scoring.rows.layout import find_column
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import Labelled, RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.suffixes import UNITS, columns_to_add
from ffn.storage.source import Source
from ffn.tabular.columns.arrow_columns import category_texts, number_texts
from ffn.tabular.columns.arrow_texts import as_texts, plain_column
from ffn.tabular.columns.typed_values import Spellings
from ffn.tabular.csv.header import check_distinct
from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records
from ffn.tabular.parquet.decoding_process import DecodedParquet
from ffn.tabular.parquet.parquet_table import as_csv, as_header, numbered
from ffn.tabular.schema import Feature, Schema

__all__ = ["CsvPieces", "ParquetPieces", "Piece"]


class Piece(NamedTuple):
    """One batch of scored rows [n], their predictions, and the rejects of the same range.

    Attributes
    ----------
    batch
        Arrow record batch with the columns that the output keeps.
    labels, probabilities
        Index of the predicted class [n], and class probabilities [n, C].
    confidences, abstained
        Probability of the predicted class [n], and booleans [n]: rows that get no label.
    rejects
        Lines of the rejects file, as UTF-8.
    reasons
        What moved the predictions most; None if that was not asked for.
    """

    batch: Any
    labels: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    abstained: npt.NDArray[np.bool_]
    rejects: bytes
    reasons: Reasons | None = None


class ParquetPieces:
    """A Parquet file, scored batch by batch.

    The features of each batch are converted to CSV in memory and scored as such, so a table has the
    same labels and the same rejects in either format.

    Parameters
    ----------
    stream
        The input.
    sha256
        SHA-256 of the input's content, for the manifest.
    table
        The same file, decoded in another process.
    model
        The model that scores it.
    options
        Options of scoring.
    name
        Name of the input in errors.

    Attributes
    ----------
    stream, name
        As given.
    schema
        Arrow schema of the columns that the output keeps.
    tally
        Counts so far.

    Raises
    ------
    DataError
        The columns do not match the model's schema.
    """

    def __init__(
        self,
        stream: Source,
        sha256: str,
        table: DecodedParquet,
        model: Scorer,
        options: Options,
        name: str,
    ) -> None:
        header, schema = table.header, model.schema
        self.stream, self.name = stream, name
        self._sha256, self._table, self._decimal = sha256, table, options.decimal
        self._missing_values = schema.missing_values
        features = [feature.name for feature in schema.features]
        self._kept = list(range(len(header.names)))
        if options.only_id is not None:
            self._kept = [find_column(header, options.only_id, name)]
        match_header(header, schema, name, columns_to_add(schema, model.rule, options))
        place = {column: number for number, column in enumerate(header.names)}
        self._features = [
            (feature, place[feature.name], self._spellings(feature, schema))
            for feature in schema.features
        ]
        fields = [table.schema.field(column) for column in self._kept]
        self.schema = pa.schema(fields, table.schema.metadata)
        # The CSV in memory is internal; the options that shape the output do not apply to it.
        self._dates = _dates_in(model, header.names, options)
        dates = [] if self._dates is None else [header.names[self._dates]]
        self._names = numbered([*features, *dates])
        inner = replace(options, delimiter=",", only_id=None)
        self._scorer = RowScorer(model, as_header(self._names), inner, name)
        self.tally = self._scorer.new_tally()

    def __iter__(self) -> Iterator[Piece]:
        """Yield every piece, in order."""
        before = 0
        for batch in self._table.batches():
            records = Records(io.BytesIO(self._as_csv(batch)), self.name)
            kept = batch.select(self._kept)
            for block in records:
                found = self._scorer.label(block)
                found.add_to(self.tally, _units(found))
                rejects = (_of_a_table(reject, before) for reject in found.rejects)
                yield Piece(
                    kept.take(pa.array(found.good.rows - 1)),
                    found.labels,
                    found.probabilities,
                    found.confidences,
                    found.abstained,
                    b"".join(map(self._scorer.reject_line, rejects)),
                    found.reasons,
                )
            before += batch.num_rows

    def _spellings(self, feature: Feature, schema: Schema) -> Spellings | None:
        if feature.kind == "numeric":
            return None
        return Spellings(feature.categories, schema.missing_values, self._decimal)

    def _as_csv(self, batch: Any) -> bytes:
        """Return the features of a batch as CSV, with the texts that a CSV file would have."""
        texts = []
        for feature, place, spellings in self._features:
            column, where = batch.column(place), f"{self.name}, column {quote(feature.name)}"
            texts.append(
                number_texts(column, feature, self._missing_values, where, self._decimal)
                if spellings is None
                else category_texts(column, spellings, where, self._decimal)
            )
        if self._dates is not None:
            texts.append(_date_texts(batch.column(self._dates), self.name))
        return as_csv(texts, self._names)

    @property
    def bytes_read(self) -> int:
        """Bytes of the input so far, estimated from the share of its rows."""
        rows = self.tally.scored + self.tally.rejected
        return (self.stream.size or 0) * rows // max(1, self._table.rows)

    def check(self) -> None:
        """Raise ``DataError`` if the file changed while it was read."""
        self.stream.check_untouched()
        self.tally.check_rows(self._table.rows)

    def input(self) -> dict[str, Any]:
        """Return the manifest's entry for the input."""
        return {
            "path": self.name,
            "bytes": self.stream.size,
            "sha256": self._sha256,
            "compression": None,
            "encoding": "parquet",
            "blank_lines": 0,
        }


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

    Attributes
    ----------
    stream, name
        As given.
    schema
        Arrow schema of the columns that the output keeps.
    tally
        Counts so far.

    Raises
    ------
    DataError
        The header does not match the model's schema, or repeats a kept name.
    """

    def __init__(
        self, stream: Source, records: Records, model: Scorer, options: Options, name: str
    ) -> None:
        header = records.header
        self.stream, self.name = stream, name
        self._records = records
        self._scorer = RowScorer(model, header, options, name)
        self.tally = self._scorer.new_tally()
        self._kept = list(range(len(header.names)))
        if options.only_id is not None:
            self._kept = [find_column(header, options.only_id, name)]
        # Parquet columns are found by name.
        check_distinct(header, [header.names[column] for column in self._kept], name)
        self.schema = pa.schema([(header.names[column], pa.string()) for column in self._kept])

    def __iter__(self) -> Iterator[Piece]:
        """Yield every piece, in order."""
        for block in self._records:
            self.tally.began = self._records.began
            found = self._scorer.label(block)
            found.add_to(self.tally, _units(found))
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


def _dates_in(model: Scorer, names: Sequence[str], options: Options) -> int | None:
    """Return the position of the column by which seasons are told, if it is no feature."""
    seasons = model.reference.seasons if model.reference and options.drift != "off" else None
    if seasons is None or list(names).count(seasons.column) != 1:
        return None
    if seasons.column in (feature.name for feature in model.schema.features):
        return None
    return list(names).index(seasons.column)


def _date_texts(column: Any, where: str) -> Any:
    """Return a column of dates as texts; nulls where it has no plain values."""
    try:
        return as_texts(plain_column(column, where), where, ".")
    except DataError:
        return pa.nulls(len(column), pa.string())


def _units(found: Labelled) -> int:
    """Return the sum of confidences in units of 1/10,000, each rounded as it is written."""
    return int(np.rint(found.confidences * UNITS).sum())


def _of_a_table(reject: Reject, before: int) -> Reject:
    """Return a reject with its row number in the table, which has no lines."""
    # If the whole record is the value, its first cell is the column that `numbered` added.
    value = reject.value if reject.column else reject.value.partition(",")[2]
    return replace(reject, row=reject.row + before, line=0, value=value)
