"""Training table with typed columns, in memory-mapped files."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.storage.cache import CacheEntry
from ffn.storage.npy import open_array
from ffn.tabular.cell_forms import as_cell
from ffn.tabular.splitting.points_in_time import TimeKind
from ffn.tabular.training_table.column_store import Columns, ColumnsByName
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.key_columns import GROUPS, TEST_UNLABELLED, TIMES, UNLABELLED
from ffn.tabular.training_table.typed_columns import TypedColumns
from ffn.tabular.weighting.weight_column import WEIGHTS

__all__ = [
    "CODES",
    "FINGERPRINTS",
    "LABELS",
    "NUMBERS",
    "TEXTS",
    "Dataset",
    "TablePart",
    "place_in_parts",
]

Array = npt.NDArray[Any]

NUMBERS, CODES, TEXTS = "numbers.npy", "codes.npy", "texts.json"
LABELS, FINGERPRINTS = "labels.npy", "fingerprints.npy"

# From this correlation with the time that splits the rows, a column of dates is one with it.
_MOVES_ALONG = 0.9


class TablePart(NamedTuple):
    """A file of a table that consists of several, or is no CSV file.

    Attributes
    ----------
    name
        Its path below the folder that was named.
    sha256
        Digest of the file as it is stored.
    rows
        Number of its rows.
    """

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Dataset(TypedColumns):
    """Labelled rows [N] in files; pickled as a description and the path of these.

    Beside the attributes of `TypedColumns`:

    Attributes
    ----------
    unlabelled
        Number of rows of the file without a label, which are not among the N.
    notices
        Sentences for the user about how the file was read.
    source_sha256
        Digest of the CSV file, which is named in ``file``; of a table of other files, that is what
        the settings name, and this the digest of the CSV file made of them.
    path
        Where the CSV file is.
    entry
        Cache entry with the files.
    time, time_kind
        Header of the column of times, and the kind of these; None if there is none.
    group
        Header of the column of groups; None if there is none.
    test_file, test_rows, test_sha256
        Name of the file of held-out rows, which are the last so many of the N, and its digest;
        None, 0 and None if there is none.
    weight, weightless
        Header of the column of row weights, None if there is none; and the number of rows of
        weight 0, which are not among the N.
    test_path
        Where that file is; None if there is none.
    parts, test_parts
        The files of which the table, and that of held-out rows, was made; none if each is a CSV
        file.
    held
        Cache entries with the CSV files made of them.
    """

    source_sha256: str
    path: Path
    entry: CacheEntry
    unlabelled: int = 0
    notices: tuple[str, ...] = ()
    time: str | None = None
    time_kind: TimeKind | None = None
    group: str | None = None
    test_file: str | None = None
    test_rows: int = 0
    test_sha256: str | None = None
    weight: str | None = None
    weightless: int = 0
    test_path: Path | None = None
    parts: tuple[TablePart, ...] = ()
    test_parts: tuple[TablePart, ...] = ()
    held: tuple[CacheEntry, ...] = ()

    @property
    def weights(self) -> Array | None:
        """Weights of the rows, float64 [N], above 0; None if all rows count alike."""
        return None if self.weight is None else open_array(self.entry.path / WEIGHTS)

    @property
    def times(self) -> Array | None:
        """Times [N], int64 microseconds since 1970 or float64 numbers; None if there are none."""
        return None if self.time is None else open_array(self.entry.path / TIMES)

    @property
    def group_ids(self) -> Array | None:
        """Identifiers of the rows' groups, uint64 [N]; None if there are none."""
        return None if self.group is None else open_array(self.entry.path / GROUPS)

    @property
    def given(self) -> Array | None:
        """Booleans [N] of the rows of the file of held-out rows; None if there is none."""
        return np.arange(self.rows) >= self.rows - self.test_rows if self.test_file else None

    @property
    def labels(self) -> Array:
        """Indices in ``classes``, int32 [N]."""
        return open_array(self.entry.path / LABELS)

    @property
    def fingerprints(self) -> Array:
        """Fingerprints of the features, uint64 [N]: equal for equal rows."""
        return open_array(self.entry.path / FINGERPRINTS)

    @property
    def numeric(self) -> Mapping[str, Array]:
        """Numbers by column name, float64 [N], NaN for missing; each access returns a copy."""
        return ColumnsByName(self.numeric_features, self._columns(NUMBERS))

    @property
    def categorical(self) -> Mapping[str, Array]:
        """Trimmed texts [N] by column name, arrays of ``str`` objects."""
        return ColumnsByName(self.categorical_features, self._columns(CODES), self.category_texts())

    def fingerprints_of(self, names: Collection[str]) -> Array:
        """Return fingerprints of the columns ``names`` alone, uint64 [N]."""
        texts = self.category_texts()
        own = {name: texts[name] for name in self.categorical_features}
        return np.concatenate(
            [
                group_fingerprints(
                    numbers, codes, self.numeric_features, own, self.missing_values, names=names
                )
                for _, numbers, codes in self.groups()
            ]
        )

    def groups(self) -> Iterator[tuple[slice, Array, Array]]:
        """Yield the row range, numbers [F, n] and text codes [G, n] of each row group."""
        for (rows, numbers), (_, codes) in zip(
            self._columns(NUMBERS).groups(), self._columns(CODES).groups(), strict=True
        ):
            yield rows, numbers, codes

    def row_in_file(self, row: int) -> int:
        """Return the row number in its file, from 1, of a labelled row, numbered from 0."""
        parts = self.test_parts if row >= self.rows - self.test_rows else self.parts
        number = self._row_in_table(row)
        return place_in_parts(parts, number)[1] if len(parts) > 1 else number

    def _row_in_table(self, row: int) -> int:
        unlabelled = self.entry.path / UNLABELLED
        if row >= self.rows - self.test_rows:
            row -= self.rows - self.test_rows
            unlabelled = self.entry.path / TEST_UNLABELLED
        if not unlabelled.exists():
            return row + 1
        left_out = open_array(unlabelled)
        # Number of labelled rows before each unlabelled one.
        before = left_out - np.arange(1, len(left_out) + 1)
        return row + 1 + int(np.searchsorted(before, row, side="right"))

    def labelled_rows(self, *, held_out: bool = False) -> Array:
        """Return booleans, one a row of a file: True for those that are among the N.

        Parameters
        ----------
        held_out
            Of `test_file`; False, the default: of `file`.
        """
        path = self.entry.path / (TEST_UNLABELLED if held_out else UNLABELLED)
        left_out = open_array(path) if path.exists() else np.zeros(0, dtype=np.int64)
        rows = self.test_rows if held_out else self.rows - self.test_rows
        labelled = np.ones(rows + len(left_out), dtype=bool)
        labelled[left_out - 1] = False
        return labelled

    def file_of(self, row: int) -> str:
        """Return the name of the file that has a labelled row, numbered from 0."""
        held_out = row >= self.rows - self.test_rows
        parts = self.test_parts if held_out else self.parts
        if len(parts) > 1:
            return place_in_parts(parts, self._row_in_table(row))[0]
        return self.test_file or "" if held_out else self.file

    def cells(self, row: int) -> dict[str, str]:
        """Return the cells of a row (from 0) by feature, in the order of the file.

        Texts are trimmed. Numbers are in the shortest form that is read as the same number, without
        their unit, dates in ISO 8601; empty if missing.
        """
        group, place = divmod(row, self.group_rows)
        _, numbers, codes = next(itertools.islice(self.groups(), group, None))
        texts = self.category_texts()
        found = {
            name: "" if np.isnan(value) else as_cell(float(value), self.form_of(name))
            for name, value in zip(self.numeric_features, numbers[:, place], strict=True)
        }
        for name, code in zip(self.categorical_features, codes[:, place], strict=True):
            found[name] = texts[name][code]
        return {name: found[name] for name in self.order}

    def has_trend(self, name: str, rows: Array) -> bool:
        """Return whether the time that has passed may be an input of a column of dates.

        Not where rows are split by this column, or by a time that it moves with: rows to score are
        then later than all to learn from.

        Parameters
        ----------
        name
            The column.
        rows
            Booleans [N]: the training part.
        """
        times = self.times
        if times is None or name == self.time:
            return times is None
        dates = self.numeric[name][rows]
        known = ~np.isnan(dates)
        dates, times = dates[known], np.asarray(times)[rows][known].astype(np.float64)
        if not len(dates) or not (np.ptp(dates) and np.ptp(times)):
            return True
        return bool(np.corrcoef(dates, times)[0, 1] < _MOVES_ALONG)

    def _columns(self, file: str) -> Columns:
        names = self.numeric_features if file == NUMBERS else self.categorical_features
        return Columns(self.entry.path / file, len(names), self.rows, self.group_rows)

    def category_texts(self) -> dict[str, list[str]]:
        """Return the texts of each categorical feature, by the code that `groups` yields."""
        texts: dict[str, list[str]] = json.loads((self.entry.path / TEXTS).read_bytes())
        return texts


def place_in_parts(parts: Sequence[TablePart], row: int) -> tuple[str, int]:
    """Return the file of a row, and the row's number there, from 1.

    Parameters
    ----------
    parts
        The files of a table, in order.
    row
        Number of the row in the whole table, from 1.
    """
    ends = list(itertools.accumulate(part.rows for part in parts))
    number = min(bisect.bisect_right(ends, row - 1), len(ends) - 1)
    return parts[number].name, row - (ends[number] - parts[number].rows)
