"""A training table with its columns typed: what is a number, a category, a label."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.tabular.cells import category_codes, numbers, trim
from ffn.tabular.fingerprints import content_fingerprints
from ffn.tabular.schema import Feature, Kind, Schema
from ffn.tabular.table import Table

__all__ = ["Dataset", "choose_features", "read_dataset"]

Array = npt.NDArray[Any]

# A column in which nearly all cells are numbers is numeric, and the others are mistakes.
_NUMERIC_SHARE = 0.9
# A text column with more values than this, most of them met once, names rows, not kinds.
_MOST_CATEGORIES = 100
# Beyond this, squares overflow float32 and a standard deviation says nothing.
_LARGEST = 1e15


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled rows, typed.

    Attributes
    ----------
    target, classes, labels
        Header of the label column, its texts sorted, and integers [N].
    numeric
        float64 [N] by column name, NaN where a cell is missing.
    categorical
        Trimmed texts [N] by column name, arrays of ``str`` objects: whoever looks for
        something inside a dataset, as Prefect does in what a task takes and gives, need not
        visit each cell.
    order
        Feature names in the order of the file.
    missing_values
        Cell texts that mean "no value".
    fingerprints
        uint64 [N], equal for rows whose features are equal.
    file, source_sha256
        Name and digest of the file the rows came from.
    """

    target: str
    classes: tuple[str, ...]
    labels: Array
    numeric: Mapping[str, Array]
    categorical: Mapping[str, Array]
    order: tuple[str, ...]
    missing_values: tuple[str, ...]
    fingerprints: Array
    file: str
    source_sha256: str

    def learn_schema(self, rows: Array) -> tuple[Schema, list[str]]:
        """Return the contract as learnt from ``rows`` (integers [n]), and what was dropped.

        Ranges and categories come from these rows alone. Whether a row to score may lack a
        feature is asked of the whole table: that is permission, and nothing learnt.

        Raises
        ------
        DataError
            A feature has no value in these rows, or no feature is left.
        """
        features, constant = [], []
        for name in self.order:
            feature = self._learn_numeric(name, rows) or self._learn_categorical(name, rows)
            if feature is None:
                constant.append(quote(name))
            else:
                features.append(feature)
        if not features:
            raise DataError(
                f"{self.file}: every feature column is constant in the training rows; there is "
                "nothing to learn from. Add a column that tells the classes apart."
            )
        schema = Schema(
            features=tuple(features),
            target=self.target,
            classes=self.classes,
            missing_values=self.missing_values,
        )
        if not constant:
            return schema, []
        return schema, [f"constant in the training rows and left out: {_shown(constant)}"]

    def arrays(self, schema: Schema) -> tuple[Array, Array]:
        """Return numbers [N, F] (NaN: missing) and category codes [N, G] for ``schema``."""
        n = len(self.labels)
        numeric = np.empty((n, len(schema.numeric)))
        for i, feature in enumerate(schema.numeric):
            numeric[:, i] = self.numeric[feature.name]
        codes = np.empty((n, len(schema.categorical)), dtype=np.int64)
        for i, feature in enumerate(schema.categorical):
            cells = self.categorical[feature.name].tolist()
            codes[:, i] = category_codes(cells, feature.categories, self.missing_values)
        return numeric, codes

    def _learn_numeric(self, name: str, rows: Array) -> Feature | None:
        if name not in self.numeric:
            return None
        column = self.numeric[name]
        known = column[rows][~np.isnan(column[rows])]
        if not len(known):
            raise _no_values(name, self.file)
        missing = bool(np.isnan(column).any())
        low, high = float(known.min()), float(known.max())
        if low == high:
            return None
        return Feature(name=name, kind="numeric", missing=missing, minimum=low, maximum=high)

    def _learn_categorical(self, name: str, rows: Array) -> Feature | None:
        if name not in self.categorical:
            return None
        cells = self.categorical[name]
        missing = not set(self.missing_values).isdisjoint(cells.tolist())
        seen = set(cells[rows].tolist())
        categories = tuple(sorted(seen.difference(self.missing_values)))
        if not categories:
            raise _no_values(name, self.file)
        # One text and gaps still tell rows apart; one text alone does not.
        if len(seen) == 1:
            return None
        return Feature(name=name, kind="categorical", missing=missing, categories=categories)


def choose_features(
    header: Sequence[str],
    *,
    target: str,
    features: Sequence[str] | None,
    exclude: Sequence[str] | None,
    default_exclude: Collection[str],
    where: str,
) -> tuple[str, ...]:
    """Return the feature columns in the file's order.

    Raises
    ------
    SettingsError
        A column that the settings name is not in ``header``, or is named as two things that
        exclude each other, or no feature is left.
    """
    known = set(header)
    for key, names in (("target", [target]), ("features", features), ("exclude", exclude)):
        for name in names or ():
            if name not in known:
                raise SettingsError(
                    f"{where} has no column {quote(name)}, which data.{key} names; "
                    f"its columns are: {_shown(header)}.{did_you_mean(name, header)}"
                )
    for key, names in (("features", features), ("exclude", exclude)):
        if target in (names or ()):
            raise SettingsError(
                f"{where}: data.{key} names {quote(target)}, which is the target. Take it out."
            )
    for name in set(features or ()).intersection(exclude or ()):
        raise SettingsError(
            f"{where}: data.features and data.exclude both name {quote(name)}. Take out one."
        )
    left_out = {target, *(default_exclude if exclude is None else exclude)}
    wanted = known - left_out if features is None else set(features)
    chosen = tuple(name for name in header if name in wanted)
    if not chosen:
        raise SettingsError(
            f"{where} has no feature column besides the target {quote(target)} and those left "
            "out. Add a column, or take one out of data.exclude."
        )
    return chosen


def read_dataset(
    table: Table,
    *,
    target: str,
    features: Sequence[str],
    missing_values: tuple[str, ...],
    kinds: Mapping[str, Kind],
) -> Dataset:
    """Type the columns of ``table``.

    Parameters
    ----------
    table
        All rows of the training CSV.
    target, features, missing_values
        As in the settings.
    kinds
        Kinds that overrule the look at the data. A column is taken for numeric when at least
        nine in ten of its cells are numbers.

    Raises
    ------
    DataError
        A label is missing, a numeric column holds text or an absurd number, a column has no
        value, or a text column names each row.
    """
    for name in kinds:
        if name not in features:
            raise SettingsError(
                f"data.kinds names {quote(name)}, which is not a feature."
                f"{did_you_mean(name, features)}"
            )
    labels = [trim(cell) for cell in table.columns[target]]
    for i, label in enumerate(labels):
        if not label or label in missing_values:
            raise DataError(
                f"{table.path.name} row {i + 1} (line {table.lines[i]}), column {quote(target)}: "
                "the label is missing. Fill it in, or take the row out."
            )
    classes = tuple(sorted(set(labels)))
    numeric: dict[str, Array] = {}
    categorical: dict[str, list[str]] = {}
    for name in features:
        values = _as_numbers(table, name, missing_values, kinds.get(name))
        if values is not None:
            numeric[name] = values
        else:
            categorical[name] = _as_categories(table, name, missing_values, kinds.get(name))
    position = {label: c for c, label in enumerate(classes)}
    return Dataset(
        target=target,
        classes=classes,
        labels=np.array([position[label] for label in labels], dtype=np.int64),
        numeric=numeric,
        categorical={name: np.array(cells, dtype=object) for name, cells in categorical.items()},
        order=tuple(features),
        missing_values=missing_values,
        fingerprints=content_fingerprints(numeric, categorical, missing_values, len(labels)),
        file=table.path.name,
        source_sha256=table.source_sha256,
    )


def _as_numbers(
    table: Table, name: str, missing_values: tuple[str, ...], kind: Kind | None
) -> Array | None:
    """Return the column as numbers, or None if it is categorical."""
    if kind == "categorical":
        return None
    cells = table.columns[name]
    values, wrong = numbers(cells, missing_values)
    present = int((~np.isnan(values)).sum())
    if not present and not wrong:
        raise _no_values(name, table.path.name)
    if wrong and kind is None and present < _NUMERIC_SHARE * (present + len(wrong)):
        return None
    bad = wrong or np.flatnonzero(np.abs(values) > _LARGEST).tolist()
    if bad:
        i, what = bad[0], "not a finite number" if wrong else f"beyond ±{_LARGEST:g}"
        raise DataError(
            f"{table.path.name} row {i + 1} (line {table.lines[i]}), column {quote(name)}: "
            f"{quote(cells[i])} is {what}, and the column is numeric. Correct the cell, add its "
            "text to data.missing_values, or set the column's kind in [data.kinds]."
        )
    return values


def _as_categories(
    table: Table, name: str, missing_values: tuple[str, ...], kind: Kind | None
) -> list[str]:
    cells = [trim(cell) for cell in table.columns[name]]
    distinct = set(cells).difference(missing_values)
    if not distinct:
        raise _no_values(name, table.path.name)
    if kind is None and len(distinct) > max(_MOST_CATEGORIES, len(cells) // 2):
        raise DataError(
            f"{table.path.name}, column {quote(name)}: {len(distinct)} different texts in "
            f"{len(cells)} rows look like names or ids. Add it to data.exclude, or set its kind "
            "in [data.kinds]."
        )
    return cells


def _no_values(name: str, where: str) -> DataError:
    return DataError(
        f"{where}, column {quote(name)}: no values to learn from in the training rows. "
        "Add it to data.exclude."
    )


def _shown(names: Sequence[str]) -> str:
    """Return the first names, on a line that can be read."""
    shown = [name if len(name) <= 60 else name[:59] + "…" for name in names[:20]]
    return ", ".join(shown) + (", …" if len(names) > 20 else "")
