"""Read and score Parquet files in batches."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from ffn.errors import DataError, quote
from ffn.scoring.columnar.piece import Piece, confidence_units_of
from ffn.scoring.columnar.typed_rows import TypedRows
from ffn.scoring.rows.header_match import match_header, with_given
from ffn.scoring.rows.layout import find_column
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import Labelled, RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.suffixes import columns_to_add
from ffn.storage.source import Source
from ffn.tabular.columns.arrow_columns import category_texts, number_texts
from ffn.tabular.columns.arrow_texts import as_texts, plain_column, plain_texts
from ffn.tabular.columns.typed_values import Spellings
from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records
from ffn.tabular.parquet.decoding_process import DecodedParquet
from ffn.tabular.parquet.parquet_table import as_csv, as_header, numbered
from ffn.tabular.schema import Feature, Schema

__all__ = ["ParquetPieces"]


class ParquetPieces:
    """A Parquet file, scored batch by batch.

    A table has the same labels and the same rejects as its CSV file: what a column's type leaves no
    doubt about is scored from the column, and everything else is written as CSV, in memory, and
    read as such.

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
    given
        Names and cells of columns that every row has besides those of the file; none by default.

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
        given: Sequence[tuple[str, str]] = (),
    ) -> None:
        header, schema = table.header, model.schema
        self.stream, self.name = stream, name
        self._sha256, self._table, self._decimal = sha256, table, options.decimal
        self._missing_values = schema.missing_values
        features = [feature.name for feature in schema.features]
        self.columns = list(header.names)
        self._kept = list(range(len(header.names)))
        if options.only_id is not None:
            self._kept = [find_column(header, options.only_id, name)]
        match_header(header, schema, name, columns_to_add(schema, model.rule, options), given=given)
        self._given = [cell for _, cell in given]
        names = with_given(header, given, name).names
        place = {column: number for number, column in enumerate(names)}
        self._features = [
            (feature, place[feature.name], self._spellings(feature, schema))
            for feature in schema.features
        ]
        self.schema = pa.schema([table.schema.field(c) for c in self._kept], table.schema.metadata)
        # The CSV in memory is internal; the options that shape the output do not apply to it.
        seasonal = _dates_in(model, names, options)
        # A date that is a feature is in the CSV already.
        self._dates = None if seasonal is None or names[seasonal] in features else seasonal
        dates = [] if self._dates is None else [names[self._dates]]
        self._names = numbered([*features, *dates])
        inner = replace(options, delimiter=",", only_id=None)
        self._scorer = RowScorer(model, as_header(self._names), inner, name)
        self._model = model
        # Numbers with a decimal comma, short texts, and dates by which seasons are told, are read
        # as texts; so is what has reasons, which the scorer of rows finds.
        self._typed = None
        plain = options.decimal == "." and seasonal is None
        if plain and not schema.texts and not options.explain:
            self._typed = TypedRows(self._features, schema.missing_values, options, name)
        self.tally = self._scorer.new_tally()

    def __iter__(self) -> Iterator[Piece]:
        """Yield every piece, in order."""
        before = 0
        for batch in self._table.batches():
            piece = self._of_columns(batch, before)
            if piece is None:
                yield from self._of_texts(batch, before)
            else:
                yield piece
            before += batch.num_rows

    def _of_columns(self, batch: Any, before: int) -> Piece | None:
        """Score a batch from its columns; None if it has to be read as texts."""
        typed = self._typed.read(batch, self._column) if self._typed else None
        found = typed.label(self._model, 1) if typed else None
        if typed is None or found is None:
            return None
        kept, rejects = batch.select(self._kept), []
        if not typed.plain.all():
            others = np.flatnonzero(~typed.plain)
            # The other rows are those that the reader of texts rejects.
            records = Records(io.BytesIO(self._as_csv(batch.take(pa.array(others)))), self.name)
            blocks = [self._scorer.label(block) for block in records]
            if any(len(block.good) for block in blocks):
                return None
            rejects = [
                replace(_of_a_table(reject, 0), row=int(others[reject.row - 1]) + 1 + before)
                for block in blocks
                for reject in block.rejects
            ]
            kept = kept.filter(pa.array(typed.plain))
        found = found._replace(rejects=rejects)
        found.add_to(self.tally, confidence_units_of(found))
        return self._piece(kept, found, rejects)

    def _of_texts(self, batch: Any, before: int) -> Iterator[Piece]:
        """Score a batch by what its features are in a CSV file."""
        kept = batch.select(self._kept)
        for block in Records(io.BytesIO(self._as_csv(batch)), self.name):
            found = self._scorer.label(block)
            found.add_to(self.tally, confidence_units_of(found))
            rejects = [_of_a_table(reject, before) for reject in found.rejects]
            yield self._piece(kept.take(pa.array(found.good.rows - 1)), found, rejects)

    def _piece(self, kept: Any, found: Labelled, rejects: Iterable[Reject]) -> Piece:
        return Piece(
            kept,
            found.labels,
            found.probabilities,
            found.confidences,
            found.abstained,
            b"".join(map(self._scorer.reject_line, rejects)),
            found.reasons,
        )

    def _spellings(self, feature: Feature, schema: Schema) -> Spellings | None:
        known, missing = feature.categories, schema.missing_values
        return Spellings(known, missing, self._decimal) if feature.kind == "categorical" else None

    def _as_csv(self, batch: Any) -> bytes:
        """Return the features of a batch as CSV, with the texts that a CSV file would have."""
        texts = []
        for feature, place, spellings in self._features:
            column, where = self._column(batch, place), f"{self.name}, column {quote(feature.name)}"
            texts.append(
                plain_texts(plain_column(column, where), where, self._decimal)
                if feature.kind == "text"
                else number_texts(column, feature, self._missing_values, where, self._decimal)
                if spellings is None
                else category_texts(column, spellings, where, self._decimal)
            )
        if self._dates is not None:
            texts.append(_date_texts(self._column(batch, self._dates), self.name))
        return as_csv(texts, self._names)

    def _column(self, batch: Any, place: int) -> Any:
        """Return a column of a batch, or one of equal texts that the file lacks."""
        own = batch.num_columns
        return batch.column(place) if place < own else _repeated(self._given[place - own], batch)

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


def _dates_in(model: Scorer, names: Sequence[str], options: Options) -> int | None:
    """Return the position of the column by which seasons are told; None if none is needed."""
    seasons = model.reference.seasons if model.reference and options.drift != "off" else None
    if seasons is None or list(names).count(seasons.column) != 1:
        return None
    return list(names).index(seasons.column)


def _date_texts(column: Any, where: str) -> Any:
    """Return a column of dates as texts; nulls where it has no plain values."""
    try:
        return as_texts(plain_column(column, where), where, ".")
    except DataError:
        return pa.nulls(len(column), pa.string())


def _repeated(cell: str, batch: Any) -> Any:
    return pa.repeat(pa.scalar(cell, pa.string()), batch.num_rows)


def _of_a_table(reject: Reject, before: int) -> Reject:
    """Return a reject with its row number in the table, which has no lines."""
    # If the whole record is the value, its first cell is the column that `numbered` added.
    value = reject.value if reject.column else reject.value.partition(",")[2]
    return replace(reject, row=reject.row + before, line=0, value=value)
