"""Read the features of a batch from its Arrow columns, without the detour over texts.

What a value means is decided by the texts that a CSV file of the same table would have. Here are
the values of which that is known without writing them: numbers, and texts that are looked up once
for each that differs. Every other row is left to the reader of texts, which alone rejects rows, so
that a table has the same labels and the same rejects in either way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import quote
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import Labelled
from ffn.scoring.rows.scorer import Scorer, finite_probabilities
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.columns.arrow_columns import (
    category_texts,
    codes_of_column,
    numbers_of_column,
)
from ffn.tabular.columns.arrow_texts import texts_with_nul
from ffn.tabular.columns.typed_values import Spellings
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.grammar import Positions
from ffn.tabular.schema import Feature

__all__ = ["TypedBatch", "TypedRows"]

# The reader of texts cuts longer ones.
_LONGEST_TEXT = 50_000


class TypedBatch(NamedTuple):
    """A batch [n] with the values of its features.

    Attributes
    ----------
    numeric, codes
        Numbers [n, F], NaN for missing, and category codes [n, G].
    plain
        Mask [n] of the rows of which that is all; the others have to be read as texts.
    texts
        Returns the texts [m] of a categorical feature, numbered from 0, in the rows of a mask.
    """

    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    plain: npt.NDArray[np.bool_]
    texts: Callable[[int, npt.NDArray[np.bool_]], list[str]]

    def label(self, model: Scorer, first: int) -> Labelled | None:
        """Return the predictions for the plain rows; None if one is too large to be scored.

        Parameters
        ----------
        model
            The model.
        first
            Position of the first feature among the columns that counts are taken of.
        """
        numeric, codes = self.numeric, self.codes
        if not self.plain.all():
            numeric, codes = numeric[self.plain], codes[self.plain]
        probabilities, finite = finite_probabilities(
            model, model.preparation.transform(numeric, codes)
        )
        if not finite.all():
            return None
        rule = model.rule
        labels = rule.labels(probabilities)
        confidences = rule.confidences(probabilities, labels)
        names = [feature.name for feature in model.schema.features]
        places = {names.index(f.name) + first: g for g, f in enumerate(model.schema.categorical)}
        rows = _ColumnRows(self.plain, lambda column, mask: self.texts(places[column], mask))
        abstained = rule.abstains(confidences)
        return Labelled(rows, numeric, codes, labels, probabilities, confidences, abstained, [])


class TypedRows:
    """Reader of the features of batches.

    Parameters
    ----------
    features
        Features in the order of the schema, with the position of the column, and the spellings of
        a categorical one.
    missing_values
        Texts that mean "no value".
    options
        Options of scoring, of which ``on_unknown`` is used.
    name
        Name of the file in errors.
    """

    def __init__(
        self,
        features: Sequence[tuple[Feature, int, Spellings | None]],
        missing_values: Sequence[str],
        options: Options,
        name: str,
    ) -> None:
        self._features, self._missing_values = features, missing_values
        self._options, self._name = options, name

    def read(self, batch: Any, column_of: Callable[[Any, int], Any]) -> TypedBatch | None:
        """Return the values of a batch; None if all of it has to be read as texts.

        Parameters
        ----------
        batch
            Record batch.
        column_of
            Returns a column of it by its position.

        Raises
        ------
        DataError
            A column has values that training cannot have known.
        """
        n = batch.num_rows
        plain = np.ones(n, dtype=bool)
        numeric, codes, columns = [], [], []
        for feature, place, spellings in self._features:
            column = column_of(batch, place)
            if _longest(column) > _LONGEST_TEXT:
                return None
            where = f"{self._name}, column {quote(feature.name)}"
            if spellings is None:
                values, wrong = numbers_of_column(column, feature, self._missing_values, where)
                plain &= ~wrong
                if not feature.missing or "" not in self._missing_values:
                    plain &= ~np.isnan(values)
                numeric.append(values)
                continue
            found, unknown = codes_of_column(column, spellings, self._missing_values, where)
            if any("\0" in text for text in unknown):
                plain &= ~texts_with_nul(column, where)
            if not feature.missing:
                plain &= found != MISSING
            if self._options.on_unknown == "reject":
                plain &= found != UNKNOWN
            codes.append(found)
            columns.append((column, spellings, where))

        def texts(g: int, mask: npt.NDArray[np.bool_]) -> list[str]:
            column, spellings, where = columns[g]
            some = category_texts(column.filter(pa.array(mask)), spellings, where)
            return [text or "" for text in some.to_pylist()]

        return TypedBatch(
            _side_by_side(numeric, n, np.float64), _side_by_side(codes, n, np.int64), plain, texts
        )


class _ColumnRows(Block):
    """Rows [n] whose cells are asked for by column, for counts."""

    _mask: npt.NDArray[np.bool_]
    _texts: Callable[[int, npt.NDArray[np.bool_]], list[str]]

    def __init__(
        self,
        mask: npt.NDArray[np.bool_],
        texts: Callable[[int, npt.NDArray[np.bool_]], list[str]],
    ) -> None:
        # Bypasses the frozen dataclass, as its own __init__ does.
        vars(self).update(_mask=mask, _texts=texts, rejects=())

    def __len__(self) -> int:
        return int(np.count_nonzero(self._mask))

    @property
    def stops(self) -> Positions:
        """As in `Block`: of a batch, each row is counted."""
        return np.arange(1, len(self) + 1)

    def take(self, records: npt.NDArray[np.bool_]) -> Block:
        mask = self._mask.copy()
        mask[mask] = records
        return _ColumnRows(mask, self._texts)

    def cells(self, column: int) -> list[str]:
        return self._texts(column, self._mask)


def _side_by_side(columns: list[Any], n: int, kind: type) -> Any:
    """Return columns as an array [n, columns], which preparation reads column by column."""
    found: npt.NDArray[Any] = np.empty((len(columns), n), dtype=kind)
    for place, column in enumerate(columns):
        found[place] = column
    return found.T


def _longest(column: Any) -> int:
    """Return the bytes of the longest text in a column; 0 if it holds none."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary
    of = column.type
    if not (
        pa.types.is_string(of)
        or pa.types.is_large_string(of)
        or pa.types.is_binary(of)
        or pa.types.is_large_binary(of)
    ):
        return 0
    return pc.max(pc.binary_length(column)).as_py() or 0
