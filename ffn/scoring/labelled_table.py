"""Read a labelled table of any kind, and predict its rows: what a model is judged on."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.scoring.columnar.detect import is_parquet
from ffn.scoring.memory_table import ColumnPart, MemoryTable, open_table
from ffn.scoring.rows.contract import Contract
from ffn.scoring.rows.header_match import match_header
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows
from ffn.storage.source import open_source
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.header import Header, check_distinct
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.rejects import Reason
from ffn.tabular.csv.reader import Records

__all__ = ["LabelTexts", "LabelledRows", "predict_labelled"]

Array = npt.NDArray[Any]


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


@dataclass(kw_only=True)
class LabelledRows:
    """Predicted rows with their labels, and what became of all others.

    Attributes
    ----------
    rows
        Number of rows of the table.
    probabilities, labels
        Class probabilities [n, C] and indices of the true classes [n] of the rows to judge.
    left_out
        Number of the other rows by reason: those of rejected rows, or ``no_label``,
        ``unknown_label`` and ``trained_on``.
    unknown_labels
        Number of rows by label that is no class of the model.
    recognisable
        Whether the table has the columns by which training rows are recognised.
    """

    rows: int = 0
    probabilities: Array
    labels: Array
    left_out: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    recognisable: bool = True


class _Pieces(NamedTuple):
    """A table as CSV: its name in errors, its header, blocks of records, the decimal mark."""

    name: str
    header: Header
    blocks: Iterator[Block]
    decimal: str


# Returns the number of rows [n], and the cells of a column in parts of one type.
_Columns = Callable[[str], tuple[int, Sequence[ColumnPart]]]


def predict_labelled(
    model: Scorer, table: Any, label: LabelTexts, trained: TrainedRows | None, options: Options
) -> LabelledRows:
    """Predict the rows of a labelled table.

    A row is left out if scoring would reject it, if it has no label that the model knows, or if
    the model was trained on it.

    Parameters
    ----------
    model
        The model.
    table
        Path of a CSV or Parquet file, or a table in memory as for `open_table`.
    label
        The label column.
    trained
        The model's training rows; None if they are not known or cannot be told by their content.
    options
        How a CSV file is written, and what becomes of unknown categories.

    Raises
    ------
    DataError
        The table cannot be read, or lacks a column, or has one twice.
    """
    found = LabelledRows(probabilities=np.empty((0, len(label.classes))), labels=np.empty(0, int))
    place = {name: c for c, name in enumerate(label.classes)}
    with _opened(model, table, label, trained, options) as pieces:
        header, name = pieces.header, pieces.name
        if label.column not in header.names:
            raise DataError(
                f"{name} has no column {quote(label.column)}, which holds the labels"
                f"{columns_found(label.column, header.names)}"
            )
        check_distinct(header, [label.column], name)
        contract = match_header(
            header,
            model.schema,
            name,
            (),
            delimiter=options.delimiter,
            decimal=pieces.decimal,
            on_unknown=options.on_unknown,
        )
        if trained is not None:
            found.recognisable = trained.are_in(header.names)
        known = trained if found.recognisable else None
        parts = [
            _judged(model, contract, block, header, label, place, known, pieces.decimal, found)
            for block in pieces.blocks
        ]
    if parts:
        found.probabilities = np.concatenate([own for own, _ in parts])
        found.labels = np.concatenate([own for _, own in parts])
    return found


def _judged(
    model: Scorer,
    contract: Contract,
    block: Block,
    header: Header,
    label: LabelTexts,
    place: Mapping[str, int],
    trained: TrainedRows | None,
    decimal: str,
    found: LabelledRows,
) -> tuple[Array, Array]:
    """Return probabilities and labels of the rows of a block to judge; count the others."""
    typed = contract.read(block)
    good = typed.block
    found.rows += len(good) + len(typed.rejects)
    found.left_out.update(str(reject.reason) for reject in typed.rejects)
    x = np.atleast_2d(model.preparation.transform(typed.numeric, typed.codes))
    usable = np.isfinite(x).all(axis=1)
    probabilities = np.full((len(good), len(place)), np.nan)
    probabilities[usable] = model.probabilities(x[usable])
    usable &= np.isfinite(probabilities).all(axis=1)
    found.left_out[str(Reason.NOT_FINITE)] += int((~usable).sum())
    classes = [label.class_of(trim(cell)) for cell in good.cells(header.names.index(label.column))]
    named = np.array([bool(one) for one in classes], dtype=bool)
    found.left_out["no_label"] += int((usable & ~named).sum())
    usable &= named
    labels = np.array([place.get(one, -1) for one in classes], dtype=np.intp)
    strange = usable & (labels < 0)
    found.unknown_labels.update(classes[i] for i in np.flatnonzero(strange))
    found.left_out["unknown_label"] += int(strange.sum())
    usable &= labels >= 0
    if trained is not None:
        texts = {
            name: list(map(trim, good.cells(header.names.index(name)))) for name in trained.columns
        }
        seen = usable & trained.known(texts, len(good), decimal)
        found.left_out["trained_on"] += int(seen.sum())
        usable &= ~seen
    return probabilities[usable], labels[usable]


@contextmanager
def _opened(
    model: Scorer, table: Any, label: LabelTexts, trained: TrainedRows | None, options: Options
) -> Iterator[_Pieces]:
    """Open a table, whatever carries it, as blocks of CSV records."""
    features = [feature.name for feature in model.schema.features]
    needed = list(dict.fromkeys([label.column, *features, *(trained.columns if trained else ())]))
    if not isinstance(table, Path):
        memory = open_table(table, needed)
        yield _typed(model, label, list(memory.names), needed, [_columns_of(memory)], "the rows")
        return
    with open_source(table) as stream:
        name = stream.name
        if not is_parquet(stream):
            records = Records(
                stream, name, delimiter=options.delimiter, given_encoding=options.encoding
            )
            yield _Pieces(name, records.header, iter(records), options.decimal)
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
) -> _Pieces:
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

    return _Pieces(name, header, blocks(), ".")


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
