"""Training table with typed columns, in memory-mapped files."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.storage.cache import CacheEntry
from ffn.storage.npy import open_array
from ffn.tabular.cell_forms import CellForm, as_cell, cell_form
from ffn.tabular.cells import MISSING, UNKNOWN, present_texts
from ffn.tabular.columns.feature_columns import shown
from ffn.tabular.date_form import DateForm
from ffn.tabular.encodings.date_parts import telling_parts
from ffn.tabular.schema import Feature, Schema, TextEncoder, is_constant
from ffn.tabular.splitting.points_in_time import TimeKind
from ffn.tabular.training_table.column_store import Columns, ColumnsByName
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.key_columns import GROUPS, TEST_UNLABELLED, TIMES, UNLABELLED
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
class Dataset:
    """Labelled rows [N] with typed columns; pickled as a description and the path of its files.

    Attributes
    ----------
    target, classes
        Header of the label column, and the sorted classes.
    order
        Feature names in the order of the file.
    numeric_features, categorical_features
        The same by kind; those of texts are among the categorical ones, as codes of their texts.
    text_features
        Names of the features that are texts.
    missing_values
        Cell texts that mean "no value".
    formats
        Forms of numeric features that are not plain, as `cell_form` takes them, by name.
    rows, group_rows
        Number of rows N, and of rows in a row group.
    unlabelled
        Number of rows of the file without a label, which are not among the N.
    notices
        Sentences for the user about how the file was read.
    file, source_sha256
        Name and digest of the CSV file; of a table of other files, what the settings name, and the
        digest of the CSV file made of them.
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

    target: str
    classes: tuple[str, ...]
    order: tuple[str, ...]
    numeric_features: tuple[str, ...]
    categorical_features: tuple[str, ...]
    missing_values: tuple[str, ...]
    rows: int
    group_rows: int
    file: str
    source_sha256: str
    path: Path
    entry: CacheEntry
    formats: Mapping[str, str] = field(default_factory=dict)
    text_features: tuple[str, ...] = ()
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

    def form_of(self, name: str) -> CellForm | None:
        """Return how the numeric column ``name`` writes its values; None for plain numbers."""
        return cell_form(self.formats[name]) if name in self.formats else None

    @property
    def numeric(self) -> Mapping[str, Array]:
        """Numbers by column name, float64 [N], NaN for missing; each access returns a copy."""
        return ColumnsByName(self.numeric_features, self._columns(NUMBERS))

    @property
    def categorical(self) -> Mapping[str, Array]:
        """Trimmed texts [N] by column name, arrays of ``str`` objects."""
        return ColumnsByName(self.categorical_features, self._columns(CODES), self._texts())

    def fingerprints_of(self, names: Collection[str]) -> Array:
        """Return fingerprints of the columns ``names`` alone, uint64 [N]."""
        texts = self._texts()
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

    def learn_schema(self, rows: Array) -> tuple[Schema, list[str]]:
        """Infer the schema from the training rows.

        Ranges and categories come from these rows only. Whether a feature may be missing depends
        on the whole table, as this only decides which rows may be scored.

        Parameters
        ----------
        rows
            Row numbers [n], or a mask [N], of the training part.

        Returns
        -------
        schema
            The features that are not constant or empty in these rows.
        notices
            A sentence about the features that were left out, if any.

        Raises
        ------
        DataError
            No feature is left.
        """
        texts = self._texts()
        low, high = np.full((2, len(self.numeric_features)), np.nan)
        gaps, seen_gaps = np.zeros((2, len(low)), dtype=bool)
        seen = [np.zeros(len(texts[name]), dtype=bool) for name in self.categorical_features]
        ever = [own.copy() for own in seen]
        chosen = np.zeros(self.rows, dtype=bool)
        chosen[rows] = True
        for part, numbers, codes in self.groups():
            own = numbers[:, chosen[part]]
            if own.size:
                low = np.fmin(low, np.fmin.reduce(own, axis=1))
                high = np.fmax(high, np.fmax.reduce(own, axis=1))
            gaps |= np.isnan(numbers).any(axis=1)
            seen_gaps |= np.isnan(own).any(axis=1)
            for g, column in enumerate(codes):
                seen[g][column[chosen[part]]] = True
                ever[g][column] = True

        found: dict[str, Feature | None] = {}
        trends = [name for name in self.numeric_features if self._tells_nothing(name, chosen)]
        for f, name in enumerate(self.numeric_features):
            found[name] = None
            if name in trends:
                continue
            # A single number is informative only if some cells are missing.
            if not np.isnan(low[f]) and (seen_gaps[f] or not is_constant(low[f], high[f])):
                found[name] = Feature(
                    name=name,
                    kind="numeric",
                    missing=bool(gaps[f]),
                    minimum=float(low[f]),
                    maximum=float(high[f]),
                    format=self.formats.get(name),
                )
        for g, name in enumerate(self.categorical_features):
            found[name] = self._category(name, texts[name], seen[g], ever[g])
        features = tuple(kept for name in self.order if (kept := found[name]) is not None)
        constant = [
            quote(name) for name in self.order if found[name] is None and name not in trends
        ]
        if not features:
            dated = ", or has dates that tell nothing but the time passed" if trends else ""
            raise DataError(
                f"{self.file}: every feature column is constant or empty in the training rows"
                f"{dated}; there is nothing to learn from. Add a column that tells the classes "
                "apart."
            )
        schema = Schema(
            features=features,
            target=self.target,
            classes=self.classes,
            missing_values=self.missing_values,
        )
        notices = []
        if constant:
            notices = [f"constant or empty in the training rows and left out: {shown(constant)}"]
        if trends:
            notices.append(
                "dates that tell nothing but the time passed in the training rows, and are left "
                f"out: {shown(list(map(quote, trends)))}"
            )
        return schema, notices

    def different_texts(self, schema: Schema, rows: Array) -> tuple[list[list[str]], list[bool]]:
        """Return what columns of texts are to be learnt from.

        Parameters
        ----------
        schema
            Schema inferred from these rows.
        rows
            Row numbers [n], or a mask [N], of the training part.

        Returns
        -------
        texts
            The different texts of each column of texts [T] in these rows, without missing ones.
        has_missing
            Whether a cell is missing in these rows, for each column [T].
        """
        if not schema.texts:
            return [], []
        texts = self._texts()
        chosen = np.zeros(self.rows, dtype=bool)
        chosen[rows] = True
        own = [(texts[feature.name], self._code_column(feature)) for feature in schema.texts]
        seen = [np.zeros(len(every), dtype=bool) for every, _ in own]
        for part, _, codes in self.groups():
            for (_, g), found in zip(own, seen, strict=True):
                found[codes[g][chosen[part]]] = True
        present = [
            [every[code] for code in np.flatnonzero(found)]
            for (every, _), found in zip(own, seen, strict=True)
        ]
        missing = set(self.missing_values)
        return (
            [[text for text in every if text not in missing] for every in present],
            [not missing.isdisjoint(every) for every in present],
        )

    def arrays(self, schema: Schema) -> tuple[Array, Array]:
        """Return numbers [N, F + T D] (NaN for missing) and category codes [N, G] for ``schema``.

        The last T D numbers are the components of the texts, if the schema has an encoder.
        """
        numeric = np.empty((self.rows, len(schema.numeric) + schema.components))
        codes = np.empty((self.rows, len(schema.categorical)), dtype=np.int64)
        for rows, numbers, own in self.pieces(schema):
            numeric[rows], codes[rows] = numbers, own
        return numeric, codes

    def pieces(self, schema: Schema) -> Iterator[tuple[slice, Array, Array]]:
        """Yield the row range of each row group, with the `arrays` of these rows for ``schema``."""
        texts = self._texts()
        numeric = _found(self.numeric_features, schema.numeric)
        categorical = _found(self.categorical_features, schema.categorical)
        tables = [self._places(texts[feature.name], feature) for feature in schema.categorical]
        of_texts = [
            (t, self._code_column(own), texts[own.name]) for t, own in enumerate(schema.texts)
        ]
        for rows, numbers, codes in self.groups():
            own = np.empty((rows.stop - rows.start, len(tables)), dtype=np.int64)
            for g, table in enumerate(tables):
                own[:, g] = table[codes[categorical[g]]]
            values = [numbers[numeric]]
            if schema.encoder is not None:
                values += [
                    self._components(schema.encoder, t, every, codes[g]) for t, g, every in of_texts
                ]
            # A column's values lie side by side.
            yield rows, (np.concatenate(values) if len(values) > 1 else values[0]).T, own

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

    def category_texts(self) -> dict[str, list[str]]:
        """Return the texts of each categorical feature, by the code that `groups` yields."""
        return self._texts()

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
        texts = self._texts()
        found = {
            name: "" if np.isnan(value) else as_cell(float(value), self.form_of(name))
            for name, value in zip(self.numeric_features, numbers[:, place], strict=True)
        }
        for name, code in zip(self.categorical_features, codes[:, place], strict=True):
            found[name] = texts[name][code]
        return {name: found[name] for name in self.order}

    def _components(
        self, encoder: TextEncoder, column: int, texts: Sequence[str], codes: Array
    ) -> Array:
        """Return the components [D, n] of the texts with the ``codes`` [n]; each is read once."""
        different, places = np.unique(codes, return_inverse=True)
        cells = present_texts((texts[code] for code in different.tolist()), self.missing_values)
        found: Array = encoder.components(column, cells).T[:, places]
        return found

    def _code_column(self, feature: Feature) -> int:
        return self.categorical_features.index(feature.name)

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

    def _tells_nothing(self, name: str, rows: Array) -> bool:
        """Return whether a column has several dates in ``rows``, and none of their parts tells."""
        if not isinstance(self.form_of(name), DateForm):
            return False
        dates = self.numeric[name][rows]
        known = dates[~np.isnan(dates)]
        if not len(known) or known.min() == known.max():
            return False
        return not telling_parts(known, trend=self.has_trend(name, rows))

    def _category(self, name: str, texts: list[str], seen: Array, ever: Array) -> Feature | None:
        missing = np.isin(np.array(texts, dtype=object), list(self.missing_values))
        categories = tuple(sorted(texts[c] for c in np.flatnonzero(seen & ~missing)))
        # A single text is informative only if some cells are missing.
        if not categories or np.count_nonzero(seen) == 1:
            return None
        gaps = bool((ever & missing).any())
        if name in self.text_features:
            return Feature(name=name, kind="text", missing=gaps)
        return Feature(name=name, kind="categorical", missing=gaps, categories=categories)

    def _places(self, texts: list[str], feature: Feature) -> Array:
        """Return the category code of each text of a column."""
        places = {category: place for place, category in enumerate(feature.categories)}
        places |= dict.fromkeys(self.missing_values, MISSING)
        return np.array([places.get(text, UNKNOWN) for text in texts], dtype=np.int64)

    def _columns(self, file: str) -> Columns:
        names = self.numeric_features if file == NUMBERS else self.categorical_features
        return Columns(self.entry.path / file, len(names), self.rows, self.group_rows)

    def _texts(self) -> dict[str, list[str]]:
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


def _found(names: tuple[str, ...], features: Iterable[Feature]) -> list[int]:
    place = {name: number for number, name in enumerate(names)}
    return [place[feature.name] for feature in features]
