"""Profile of one column: its cells, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import numbers
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.columns.inference import kind_of
from ffn.tabular.columns.parsers import Count
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind

__all__ = ["Column"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """Its cells, and what they hold.

    Attributes
    ----------
    name
        The header.
    cells
        Trimmed [n].
    texts
        Those that mean a value [m].
    decimal
        Mark in numbers.
    form
        How numbers are written, where they are not plain.
    hint
        What to say of it, should it become categories.
    """

    name: str
    cells: list[str]
    texts: list[str]
    decimal: str
    form: NumberFormat | None = None
    hint: str = ""

    @cached_property
    def words(self) -> list[str]:
        """The texts that are no numbers."""
        return [self.texts[i] for i in self._typed[1]]

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """The numbers, sorted."""
        values = self._typed[0]
        return np.sort(values[~np.isnan(values)])

    @cached_property
    def distinct(self) -> int:
        """How many different texts there are."""
        return len(set(self.texts))

    @property
    def kind(self) -> Kind:
        """By the rule of training."""
        return kind_of(Count(numbers=len(self.values), texts=len(self.words)))

    @cached_property
    def _typed(self) -> tuple[npt.NDArray[Any], list[int]]:
        if self.form is not None:
            return formatted_numbers(self.texts, self.form, ())
        return numbers(self.texts, (), self.decimal)
