"""Read a labelled table of any kind, and predict its rows: what a model is judged on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.scoring.judged.labelled_blocks import LabelTexts, open_labelled
from ffn.scoring.judged.row_keys import PLAIN_ROWS, KeyNames, RowKeys
from ffn.scoring.judged.searched_rows import SearchedRows
from ffn.scoring.rows.contract import Contract
from ffn.scoring.rows.header_match import match_header
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.header import check_distinct
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.rejects import Reason

__all__ = ["LabelledRows", "predict_labelled"]

Array = npt.NDArray[Any]


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
        ``unknown_label``, ``trained_on``, and those of `RowKeys`.
    unknown_labels
        Number of rows by label that is no class of the model.
    recognisable
        Whether the table has the columns by which training rows are recognised.
    keys
        The columns of weights and groups that the table has.
    weights, groups
        Weights, and identifiers of the groups, of the rows to judge [n]; None without.
    searched
        Typed values of these rows, or of a sample of them, for slices.
    """

    rows: int = 0
    probabilities: Array
    labels: Array
    left_out: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    recognisable: bool = True
    keys: KeyNames = PLAIN_ROWS
    weights: Array | None = None
    groups: Array | None = None
    searched: SearchedRows = field(default_factory=SearchedRows)


def predict_labelled(
    model: Scorer,
    table: Any,
    label: LabelTexts,
    trained: TrainedRows | None,
    options: Options,
    keys: KeyNames = PLAIN_ROWS,
) -> LabelledRows:
    """Predict the rows of a labelled table.

    A row is left out if scoring would reject it, if it has no label that the model knows, if
    the model was trained on it, or if it lacks a weight or group.

    Parameters
    ----------
    model
        The model.
    table
        Path of a CSV or Parquet file, such a file that is open and at its beginning, or a table
        in memory as for `open_table`.
    label
        The label column.
    trained
        The model's training rows; None if they are not known or cannot be told by their content.
    options
        How a CSV file is written, and what becomes of unknown categories.
    keys
        The columns of weights and groups; by default there are none.

    Raises
    ------
    DataError
        The table cannot be read, or lacks a column that is needed, or has one twice.
    """
    found = LabelledRows(probabilities=np.empty((0, len(label.classes))), labels=np.empty(0, int))
    with open_labelled(model, table, label, trained, options, keys) as pieces:
        header, name = pieces.header, pieces.name
        if label.column not in header.names:
            raise DataError(
                f"{name} has no column {quote(label.column)}, which holds the labels"
                f"{columns_found(label.column, pieces.columns)}"
            )
        found.keys = keys.found_in(pieces.columns, name)
        check_distinct(header, [label.column, *found.keys.columns], name)
        own_keys = RowKeys(found.keys, header.names, model.schema.missing_values, pieces.decimal)
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
        judge = _Judge(
            model=model,
            contract=contract,
            names=header.names,
            label=label,
            trained=trained if found.recognisable else None,
            decimal=pieces.decimal,
            keys=own_keys,
            found=found,
        )
        parts = [judge.of(block) for block in pieces.blocks]
    if parts:
        found.probabilities = np.concatenate([own for own, _ in parts])
        found.labels = np.concatenate([own for _, own in parts])
    found.weights, found.groups = own_keys.weights(), own_keys.groups()
    return found


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """What each block of a table is judged with, and where its rows are counted."""

    model: Scorer
    contract: Contract
    names: tuple[str, ...]
    label: LabelTexts
    trained: TrainedRows | None
    decimal: str
    keys: RowKeys
    found: LabelledRows

    def of(self, block: Block) -> tuple[Array, Array]:
        """Return probabilities and labels of the rows of a block to judge; count the others."""
        model, found = self.model, self.found
        typed = self.contract.read(block)
        good = typed.block
        found.rows += len(good) + len(typed.rejects)
        found.left_out.update(str(reject.reason) for reject in typed.rejects)
        x = np.atleast_2d(model.preparation.transform(typed.numeric, typed.codes))
        usable = np.isfinite(x).all(axis=1)
        probabilities = np.full((len(good), len(self.label.classes)), np.nan)
        probabilities[usable] = model.probabilities(x[usable])
        usable &= np.isfinite(probabilities).all(axis=1)
        found.left_out[str(Reason.NOT_FINITE)] += int((~usable).sum())
        classes = [
            self.label.class_of(trim(cell))
            for cell in good.cells(self.names.index(self.label.column))
        ]
        named = np.array([bool(one) for one in classes], dtype=bool)
        found.left_out["no_label"] += int((usable & ~named).sum())
        usable &= named
        place = {name: c for c, name in enumerate(self.label.classes)}
        labels = np.array([place.get(one, -1) for one in classes], dtype=np.intp)
        strange = usable & (labels < 0)
        found.unknown_labels.update(classes[i] for i in np.flatnonzero(strange))
        found.left_out["unknown_label"] += int(strange.sum())
        usable &= labels >= 0
        if self.trained is not None:
            texts = {
                name: list(map(trim, good.cells(self.names.index(name))))
                for name in self.trained.columns
            }
            seen = usable & self.trained.known(texts, len(good), self.decimal)
            found.left_out["trained_on"] += int(seen.sum())
            usable &= ~seen
        usable = self.keys.read(good, usable, found.left_out)
        numbers = len(model.schema.numeric)
        found.searched.add(typed.numeric[usable, :numbers], typed.codes[usable])
        return probabilities[usable], labels[usable]
