"""A bounded sample of a training table's rows, column by column, for the checks of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cell_forms import CellForm, as_cell
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["SampledColumn", "draw_sample", "sample_features"]

Array = npt.NDArray[Any]

# Most rows of a sample, and most values of it: wide tables are sampled more thinly.
_MOST_ROWS, _MOST_VALUES, _FEWEST_ROWS = 10_000, 500_000, 2_000


@dataclass(frozen=True, kw_only=True)
class SampledColumn:
    """One column in the sampled rows.

    Attributes
    ----------
    name
        Header of the column.
    values
        Numbers, or category codes, float64 [n]; NaN for missing.
    texts
        Text by category code; None if the column is numeric.
    form
        How a numeric column writes its values; None, the default, for plain numbers.
    """

    name: str
    values: Array
    texts: tuple[str, ...] | None = None
    form: CellForm | None = None

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, so that their order means something."""
        return self.texts is None

    @cached_property
    def codes(self) -> tuple[Array, Array]:
        """Distinct values, ascending with NaN last, and each row's position among them [n]."""
        distinct, places = np.unique(self.values, return_inverse=True)
        return distinct, places

    @property
    def distinct(self) -> int:
        """Number of distinct values; "missing" counts as one."""
        return len(self.codes[0])

    def named(self, value: float) -> str:
        """Return a ``value`` of this column as a text: a category, a number, a date."""
        if self.texts is not None:
            return self.texts[int(value)]
        plain = self.form is None or isinstance(self.form, NumberFormat)
        return f"{value:g}" if plain else as_cell(value, self.form)


def draw_sample(training: Array, columns: int, seed: int) -> Array:
    """Return row numbers of the training part, ascending: all, or a random part of a long table.

    Parameters
    ----------
    training
        Booleans [N]: rows to train on; the others are not looked at.
    columns
        Number of columns, by which the rows of a wide table are fewer.
    seed
        Seed of the draw.
    """
    rows = np.flatnonzero(training)
    most = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_VALUES // max(1, columns)))
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def sample_features(dataset: Dataset, rows: Array) -> list[SampledColumn]:
    """Return every feature in some rows, in the order of the file.

    Parameters
    ----------
    dataset
        The training table.
    rows
        Row numbers [n], ascending.
    """
    numbers = np.empty((len(dataset.numeric_features), len(rows)))
    codes = np.empty((len(dataset.categorical_features), len(rows)))
    for part, own_numbers, own_codes in dataset.groups():
        first, last = np.searchsorted(rows, (part.start, part.stop))
        places = rows[first:last] - part.start
        numbers[:, first:last] = own_numbers[:, places]
        codes[:, first:last] = own_codes[:, places]
    found = {
        name: SampledColumn(name=name, values=values, form=dataset.form_of(name))
        for name, values in zip(dataset.numeric_features, numbers, strict=True)
    }
    texts = dataset.category_texts()
    for name, values in zip(dataset.categorical_features, codes, strict=True):
        found[name] = categories(name, values, texts[name], dataset.missing_values)
    return [found[name] for name in dataset.order]


def categories(
    name: str, codes: Array, texts: Sequence[str], missing_values: Sequence[str]
) -> SampledColumn:
    """Return a column of categories, with NaN for the texts that mean "no value".

    Parameters
    ----------
    name
        Header of the column.
    codes
        Positions in ``texts`` [n].
    texts
        Its texts by code.
    missing_values
        Texts that mean "no value".
    """
    gap = np.array([text in missing_values for text in texts])
    codes = np.asarray(codes)
    values = np.where(gap[codes.astype(np.int64)], np.nan, codes)
    return SampledColumn(name=name, values=values, texts=tuple(texts))
