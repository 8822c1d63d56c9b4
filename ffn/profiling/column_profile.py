"""One column of a table to be profiled: its cells and their values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.profiling.longer_codes import why_codes
from ffn.tabular.cell_forms import CellForm
from ffn.tabular.cells import numbers
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.columns.inference import kind_of
from ffn.tabular.columns.parsers import Count
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind

__all__ = ["Column"]


_MOST_CODES = 20


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its cells and their values.

    Attributes
    ----------
    name
        Header of the column.
    cells
        Trimmed texts of all cells [n].
    texts
        Those of the cells with a value [m].
    decimal
        Decimal mark of plain numbers.
    form
        Format of the numbers, or of dates or truth values; None for plain numbers.
    hint
        Notice to show if the column is read as categories; may be empty.
    """

    name: str
    cells: list[str]
    texts: list[str]
    decimal: str
    form: CellForm | None = None
    hint: str = ""

    @cached_property
    def words(self) -> list[str]:
        """The texts that are not numbers."""
        return [self.texts[i] for i in self._typed[1]]

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """The numbers, ascending."""
        values = self._typed[0]
        return np.sort(values[~np.isnan(values)])

    @cached_property
    def distinct(self) -> int:
        """Number of distinct texts."""
        return len(set(self.texts))

    @property
    def kind(self) -> Kind:
        """Kind of the column, by the same rule as in training; codes of digits are no numbers."""
        if self.codes:
            return "categorical"
        return kind_of(Count(numbers=len(self.values), texts=len(self.words)))

    @property
    def is_number(self) -> bool:
        """Whether what it holds is read as numbers, and not as dates or truth values."""
        return self.form is None or isinstance(self.form, NumberFormat)

    @cached_property
    def codes(self) -> str:
        """Why its texts are codes although most of them look like numbers; empty if not."""
        return why_codes(self.texts, self.words) if self.form is None else ""

    @property
    def padded(self) -> str:
        """A whole number with a zero in front, such as "02139", which may be a code; "" if none."""
        if self.form is not None:
            return ""
        return min(
            (text for text in self.texts if text[0] == "0" and text.isdecimal() and text != "0"),
            default="",
        )

    @property
    def mixes_codes(self) -> bool:
        """Whether it is a short list of codes, of which most but not all look like numbers.

        Such as the grades 9 to 12 and "other". A word that occurs once may be a slip of the pen in
        a column of numbers, which training refuses with its row.
        """
        words = Counter(self.words)
        few = self.form is None and self.distinct <= _MOST_CODES
        return few and bool(words) and min(words.values()) > 1

    @cached_property
    def _typed(self) -> tuple[npt.NDArray[Any], list[int]]:
        if self.form is not None:
            return formatted_numbers(self.texts, self.form, ())
        return numbers(self.texts, (), self.decimal)
