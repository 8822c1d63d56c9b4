"""Rows with typed columns, wherever they are kept: schema and arrays of numbers and codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.cell_forms import CellForm, cell_form
from ffn.tabular.cells import MISSING, UNKNOWN, present_texts
from ffn.tabular.columns.feature_columns import shown
from ffn.tabular.date_form import DateForm
from ffn.tabular.encodings.date_parts import telling_parts
from ffn.tabular.schema import Feature, Schema, TextEncoder, is_constant

__all__ = ["TypedColumns"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class TypedColumns(ABC):
    """Labelled rows [N] with typed columns, from which schema and preparation are learnt.

    Attributes
    ----------
    target, classes
        Header of the label column, and the sorted classes.
    order
        Feature names in the order of the table.
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
    file
        Name of the table.
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
    formats: Mapping[str, str] = field(default_factory=dict)
    text_features: tuple[str, ...] = ()

    @property
    @abstractmethod
    def labels(self) -> Array:
        """Indices in ``classes``, int32 [N]."""

    @property
    @abstractmethod
    def fingerprints(self) -> Array:
        """Fingerprints of the features, uint64 [N]: equal for equal rows."""

    @property
    @abstractmethod
    def numeric(self) -> Mapping[str, Array]:
        """Numbers by column name, float64 [N], NaN for missing; each access returns a copy."""

    @property
    @abstractmethod
    def categorical(self) -> Mapping[str, Array]:
        """Trimmed texts [N] by column name, arrays of ``str`` objects."""

    @abstractmethod
    def groups(self) -> Iterator[tuple[slice, Array, Array]]:
        """Yield the row range, numbers [F, n] and text codes [G, n] of each row group."""

    @abstractmethod
    def category_texts(self) -> dict[str, list[str]]:
        """Return the texts of each categorical feature, by the code that `groups` yields."""

    def has_trend(self, name: str, rows: Array) -> bool:  # noqa: ARG002
        """Return whether the time passed may be an input of the dates ``name`` in ``rows`` [N]."""
        return True

    def form_of(self, name: str) -> CellForm | None:
        """Return how the numeric column ``name`` writes its values; None for plain numbers."""
        return cell_form(self.formats[name]) if name in self.formats else None

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
        texts = self.category_texts()
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
        texts = self.category_texts()
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
        texts = self.category_texts()
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

    def _code_column(self, feature: Feature) -> int:
        return self.categorical_features.index(feature.name)

    def _components(
        self, encoder: TextEncoder, column: int, texts: Sequence[str], codes: Array
    ) -> Array:
        """Return the components [D, n] of the texts with the ``codes`` [n]; each is read once."""
        different, places = np.unique(codes, return_inverse=True)
        cells = present_texts((texts[code] for code in different.tolist()), self.missing_values)
        found: Array = encoder.components(column, cells).T[:, places]
        return found

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


def _found(names: tuple[str, ...], features: Iterable[Feature]) -> list[int]:
    place = {name: number for number, name in enumerate(names)}
    return [place[feature.name] for feature in features]
