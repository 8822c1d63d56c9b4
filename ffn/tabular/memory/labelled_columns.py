"""A table in memory to learn from, read by the rules for training tables in files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.memory.column_reader import ColumnChoice, ColumnReader, doubted
from ffn.tabular.memory.column_recognition import Recognised
from ffn.tabular.memory.memory_table import MemoryTable
from ffn.tabular.training_table.column_store import rows_of_a_group
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.typed_columns import TypedColumns

__all__ = ["LabelledColumns", "read_labelled_columns"]

Array = npt.NDArray[Any]

# Numbers that a text is read as, about, which take part in the size of a group.
_TEXT_COLUMNS = 32


@dataclass(frozen=True, kw_only=True)
class LabelledColumns(TypedColumns):
    """Labelled rows [N] with typed columns, in memory.

    Beside the attributes of `TypedColumns`:

    Attributes
    ----------
    numbers
        Numbers of the numeric features, float64 [F, N], NaN for missing.
    codes, texts
        Positions of the other features' cells among their texts, int32 [G, N], and these texts,
        trimmed and sorted, by feature.
    class_numbers
        Indices in ``classes``, int32 [N].
    contents
        Fingerprints of the features, uint64 [N].
    """

    numbers: Array
    codes: Array
    texts: Mapping[str, list[str]]
    class_numbers: Array
    contents: Array

    @property
    def labels(self) -> Array:
        """Indices in ``classes``, int32 [N]."""
        return self.class_numbers

    @property
    def fingerprints(self) -> Array:
        """Fingerprints of the features, uint64 [N]: equal for equal rows."""
        return self.contents

    @property
    def numeric(self) -> Mapping[str, Array]:
        """Numbers by column name, float64 [N], NaN for missing; not to be changed."""
        return dict(zip(self.numeric_features, self.numbers, strict=True))

    @property
    def categorical(self) -> Mapping[str, Array]:
        """Trimmed texts [N] by column name, arrays of ``str`` objects."""
        return {
            name: np.array(self.texts[name], dtype=object)[own]
            for name, own in zip(self.categorical_features, self.codes, strict=True)
        }

    def groups(self) -> Iterator[tuple[slice, Array, Array]]:
        """Yield the row range, numbers [F, n] and text codes [G, n] of each row group."""
        for start in range(0, self.rows, self.group_rows):
            rows = slice(start, min(start + self.group_rows, self.rows))
            yield rows, self.numbers[:, rows], self.codes[:, rows]

    def category_texts(self) -> dict[str, list[str]]:
        """Return the texts of each categorical feature, by the code that `groups` yields."""
        return dict(self.texts)

    def take(self, rows: Array) -> LabelledColumns:
        """Return the table of some rows, in their order.

        Parameters
        ----------
        rows
            Row numbers [n].
        """
        return replace(
            self,
            rows=len(rows),
            numbers=self.numbers[:, rows],
            codes=self.codes[:, rows],
            class_numbers=self.class_numbers[rows],
            contents=self.contents[rows],
        )


def read_labelled_columns(
    table: MemoryTable,
    choice: ColumnChoice,
    rows: Array,
    labels: Array,
    classes: tuple[str, ...],
    *,
    stacklevel: int = 2,
) -> LabelledColumns:
    """Read the columns of a table in memory for training.

    What a cell means is as in a CSV file of the table; columns of dates, times of day, truth values
    and formatted numbers are recognised as by ``ffn init``.

    Parameters
    ----------
    table
        The table, all of whose columns are features.
    choice
        What is known of the columns.
    rows
        Numbers [n] of the rows that count. Other rows have no effect.
    labels, classes
        Indices [n] of the labels of these rows, and the classes.
    stacklevel
        Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.

    Raises
    ------
    DataError
        A cell is no value of its column, a column of texts identifies rows, or ``choice`` names a
        column that does not exist.

    Warns
    -----
    UserWarning
        A column is read as categories, and may be something else.
    """
    names = table.names
    _check_given(names, choice)
    reader = ColumnReader(table, choice, rows)
    numbers, codes, texts = {}, {}, {}
    kinds: dict[str, Recognised] = {}
    for name in names:
        kinds[name] = reader.recognise(name)
        if kinds[name].doubt:
            warnings.warn(doubted(name, kinds[name]), UserWarning, stacklevel=stacklevel)
        if kinds[name].kind == "numeric":
            numbers[name] = reader.numbers(name, kinds[name].format)
        else:
            texts[name], codes[name] = reader.texts(name)
    of_texts = tuple(name for name in texts if kinds[name].kind == "text")
    missing = choice.missing_values
    values = np.array(list(numbers.values()), dtype=np.float64).reshape(len(numbers), len(rows))
    places = np.array(list(codes.values()), dtype=np.int32).reshape(len(codes), len(rows))
    return LabelledColumns(
        target="y",
        classes=classes,
        order=tuple(names),
        numeric_features=tuple(numbers),
        categorical_features=tuple(texts),
        text_features=of_texts,
        missing_values=missing,
        formats={name: found.format for name, found in kinds.items() if found.format},
        rows=len(rows),
        # As in files, so that sums over groups are the same.
        group_rows=rows_of_a_group(len(names) + _TEXT_COLUMNS * len(of_texts)),
        file="the rows",
        numbers=values,
        codes=places,
        texts=texts,
        class_numbers=labels.astype(np.int32),
        contents=group_fingerprints(values, places, list(numbers), texts, missing, names=names),
    )


def _check_given(names: Sequence[str], choice: ColumnChoice) -> None:
    for what, given in (("kinds", choice.kinds), ("formats", choice.formats)):
        for name in given:
            if name not in names:
                raise DataError(
                    f"the rows have no column {quote(name)}, which {what} names"
                    f"{columns_found(name, names)}"
                )
