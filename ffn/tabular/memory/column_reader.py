"""Read the columns of a table in memory to learn from: what they hold, and their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.cells import present_texts, trim
from ffn.tabular.columns.inference import names_rows
from ffn.tabular.columns.parsers import LARGEST, missing_numbers
from ffn.tabular.csv.cell_reasons import reject_detail
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason
from ffn.tabular.memory.column_recognition import Recognised, recognise_column
from ffn.tabular.memory.frame_columns import numbers_of, texts_of, with_nul
from ffn.tabular.memory.memory_table import MemoryTable
from ffn.tabular.schema import Feature, Kind

__all__ = ["ColumnChoice", "ColumnReader", "doubted"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """What of the settings determines how columns are read.

    Attributes
    ----------
    kinds, formats, missing_values
        As in `DataSettings`.
    """

    kinds: Mapping[str, Kind]
    formats: Mapping[str, str]
    missing_values: tuple[str, ...]


class ColumnReader:
    """Reader of the columns of a table, of some of its rows.

    Parameters
    ----------
    table
        The table.
    choice
        What is known of the columns.
    rows
        Numbers [n] of the rows to read.
    """

    def __init__(self, table: MemoryTable, choice: ColumnChoice, rows: Array) -> None:
        self._table, self._choice, self._rows = table, choice, rows
        self._read: dict[str, tuple[list[str], Array]] = {}

    def recognise(self, name: str) -> Recognised:
        """Return what a column holds, given or recognised.

        Raises ``DataError`` if its texts look like names or ids.
        """
        kinds, formats = self._choice.kinds, self._choice.formats
        if name in formats:
            return Recognised("numeric", formats[name])
        if name in kinds:
            return Recognised(kinds[name])
        if self._table.floats(name) is not None:
            return Recognised("numeric")
        counts = self._counts(name)
        found = recognise_column(counts)
        if found.kind != "numeric" and names_rows(len(counts), len(self._rows)):
            raise DataError(_like_names(name, found, len(counts), len(self._rows)))
        return found

    def numbers(self, name: str, form: str | None) -> Array:
        """Return the numbers [n] of a numeric column, NaN for missing."""
        feature = Feature(name=name, kind="numeric", missing=True, format=form)
        missing = self._choice.missing_values
        absent = missing_numbers(missing, ".")
        values = numbers_of(self._table, feature, missing, absent, self._refuse)[self._rows]
        large = np.abs(values) > LARGEST
        if large.any():
            self._raise(large.argmax(), feature, f"{values[large][0]:g} is beyond ±{LARGEST:g}")
        return values

    def texts(self, name: str) -> tuple[list[str], Array]:
        """Return the different texts of a column, sorted, and the code of each row [n]."""
        if name not in self._read:
            feature = Feature(name=name, kind="categorical")
            every = texts_of(self._table, feature)
            cells = [trim(every[row]) for row in self._rows.tolist()]
            texts = sorted(set(cells))
            if any("\0" in text for text in texts):
                nul = with_nul(self._table, feature)[self._rows]
                self._raise(nul.argmax(), feature, DETAILS[Reason.NUL_BYTE])
            places = {text: place for place, text in enumerate(texts)}
            codes = np.fromiter(map(places.__getitem__, cells), np.int32, len(cells))
            self._read[name] = texts, codes
        return self._read[name]

    def _counts(self, name: str) -> Counter[str]:
        """Return the number of rows by text, without texts that mean "no value"."""
        texts, codes = self.texts(name)
        present = present_texts(texts, self._choice.missing_values)
        rows = np.bincount(codes, minlength=len(texts)).tolist()
        return Counter({text: n for text, n in zip(present, rows, strict=True) if text is not None})

    def _refuse(self, bad: Array, feature: Feature, reason: Reason) -> None:
        own = bad[self._rows]
        if own.any():
            self._raise(own.argmax(), feature, reject_detail(reason, feature))

    def _raise(self, place: Any, feature: Feature, why: str) -> None:
        name = quote(feature.name)
        remedy = f'kinds={{{name}: "categorical"}}'
        if feature.name in self._choice.formats:
            remedy = f"another format than formats={{{name}: {quote(feature.format)}}}"
        raise DataError(
            f"row {self._rows[place] + 1}, column {name}: {why}. Correct the cell, "
            f"give {remedy}, or add what means no value to missing_values."
        )


def _options(name: str, found: Recognised) -> list[str]:
    return [f"formats={{{quote(name)}: {quote(form)}}}" for form in found.formats]


def _like_names(name: str, found: Recognised, texts: int, rows: int) -> str:
    """Return why a column of texts that are nearly all different is not learnt from."""
    kinds = [f"kinds={{{quote(name)}: {quote(kind)}}}" for kind in ("categorical", "text")]
    doubt = f"It {found.doubt}. " if found.doubt else ""
    return (
        f"column {quote(name)}: {texts:,} different texts in {rows:,} rows look like names or ids. "
        f"{doubt}Leave it out, or give {' or '.join([*_options(name, found), *kinds])}."
    )


def doubted(name: str, found: Recognised) -> str:
    """Return a sentence on a column that is read as it looks, and may be something else."""
    read = "numbers" if found.kind == "numeric" else "categories"
    advice = f"; to read it otherwise, give {' or '.join(_options(name, found))}"
    advice = advice if found.formats else ""
    return f"column {quote(name)} {found.doubt}; it is read as {read}{advice}."
