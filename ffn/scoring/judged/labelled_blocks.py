"""A labelled table as blocks of CSV records, whatever carries it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ffn.errors import DataError, quote
from ffn.scoring.columnar.detect import is_parquet
from ffn.scoring.judged.row_keys import KeyNames
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows
from ffn.storage.source import Source, open_source
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.reader import Records
from ffn.tabular.memory.memory_table import MemoryTable, open_table
from ffn.tabular.memory.object_cells import ColumnPart

__all__ = ["LabelTexts", "LabelledBlocks", "open_labelled"]


@dataclass(frozen=True, kw_only=True)
class LabelTexts:
    """Where the label is, and how its cells are read.

    Attributes
    ----------
    column
        Name of the label column.
    classes
        Classes of the model [C].
    labels
        Class by cell text, as in ``data.labels``; an empty class means that the row has no label.
    missing
        Cell texts that mean "no label".
    """

    column: str
    classes: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)

    def class_of(self, text: str) -> str:
        """Return the class that a trimmed cell ``text`` names; empty for no label."""
        found = self.labels.get(text, text)
        return "" if text in self.missing and text not in self.labels else found


class LabelledBlocks(NamedTuple):
    """A table as CSV: its name in errors, its header, blocks of records, the decimal mark.

    And the names of all columns, of which the header of typed values has those that are needed.
    """

    name: str
    header: Header
    blocks: Iterator[Block]
    decimal: str
    columns: Sequence[str]


# Returns the number of rows [n], and the cells of a column in parts of one type.
_Columns = Callable[[str], tuple[int, Sequence[ColumnPart]]]


@contextmanager
def open_labelled(
    model: Scorer,
    table: Any,
    label: LabelTexts,
    trained: TrainedRows | None,
    options: Options,
    keys: KeyNames,
) -> Iterator[LabelledBlocks]:
    """Open a table, whatever carries it, as blocks of CSV records.

    Parameters
    ----------
    model, table, label, trained, options, keys
        As for `ffn.scoring.labelled_table.predict_labelled`.

    Raises
    ------
    DataError
        The table cannot be read, or has a column that is needed twice.
    """
    features = [feature.name for feature in model.schema.features]
    known = trained.columns if trained else ()
    needed = list(dict.fromkeys([label.column, *features, *known, *keys.columns]))
    if not isinstance(table, Path | Source):
        memory = open_table(table, needed)
        yield _typed(model, label, list(memory.names), needed, [_columns_of(memory)], "the table")
        return
    with nullcontext(table) if isinstance(table, Source) else open_source(table) as stream:
        name = stream.name
        if not is_parquet(stream):
            records = Records(
                stream, name, delimiter=options.delimiter, given_encoding=options.encoding
            )
            names = records.header.names
            yield LabelledBlocks(name, records.header, iter(records), options.decimal, names)
            stream.check_unchanged()
            return
        from ffn.tabular.parquet.decoding_process import DecodedParquet

        stream.read_through()
        with DecodedParquet.opened(stream.shared, name) as parquet:
            there = list(parquet.header.names)
            batches = (_columns_of_batch(batch, there) for batch in parquet.batches())
            yield _typed(model, label, there, needed, batches, name)
            stream.check_untouched()


def _typed(
    model: Scorer,
    label: LabelTexts,
    there: Sequence[Any],
    needed: Sequence[str],
    batches: Iterable[_Columns],
    name: str,
) -> LabelledBlocks:
    """Return typed columns as CSV, with the texts that a CSV file of the same values has."""
    from ffn.tabular.parquet.parquet_table import as_csv, as_header, numbered

    for column in needed:
        if list(there).count(column) > 1:
            raise DataError(f"{name}: the column {quote(column)} is there twice. Rename one.")
    names = [column for column in needed if column in there]
    header = as_header(numbered(names))

    def blocks() -> Iterator[Block]:
        for columns in batches:
            texts = [_texts(columns(one), one, model, label, name) for one in names]
            yield from Records(io.BytesIO(as_csv(texts, header.names)), name)

    return LabelledBlocks(name, header, blocks(), ".", [str(column) for column in there])


def _columns_of(memory: MemoryTable) -> _Columns:
    """Return access to the columns of a table in memory, each as parts of one type."""
    return lambda column: (len(memory), list(memory.parts(column)))


def _columns_of_batch(batch: Any, names: Sequence[str]) -> _Columns:
    every = slice(None)
    return lambda column: (batch.num_rows, [ColumnPart(every, batch.column(names.index(column)))])


def _texts(
    column: tuple[int, Sequence[ColumnPart]],
    name: str,
    model: Scorer,
    label: LabelTexts,
    where: str,
) -> Any:
    """Return the cells of a typed column as a ``pyarrow`` array of texts [n]."""
    import pyarrow as pa

    from ffn.tabular.columns.arrow_columns import category_texts, number_texts
    from ffn.tabular.columns.arrow_texts import as_texts, plain_column, plain_texts
    from ffn.tabular.columns.typed_values import Spellings

    schema, there = model.schema, f"{where}, column {quote(name)}"
    feature = next((one for one in schema.features if one.name == name), None)
    rows, parts = column
    texts = np.full(rows, None, dtype=object)
    for part in parts:
        if name == label.column:
            known = tuple(dict.fromkeys([*label.classes, *label.labels]))
            found = category_texts(part.cells, Spellings(known, label.missing), there)
        elif feature is None or feature.kind == "text":
            plain = plain_column(part.cells, there)
            found = (plain_texts if feature else as_texts)(plain, there, ".")
        elif feature.kind == "numeric":
            found = number_texts(part.cells, feature, schema.missing_values, there)
        else:
            known = feature.categories
            found = category_texts(part.cells, Spellings(known, schema.missing_values), there)
        texts[part.rows] = found.to_pylist()
    return pa.array(texts.tolist(), pa.large_string())
