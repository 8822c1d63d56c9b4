"""Detect columns that are unlikely features: IDs, counters, dates, names, empty columns."""

from __future__ import annotations

import re

import numpy as np

from ffn.errors import quote
from ffn.profiling.column_profile import Column
from ffn.profiling.text_columns import why_texts
from ffn.tabular.columns.inference import names_rows

__all__ = ["NO_VALUES", "has_many_categories", "why_unlikely"]

NO_VALUES = "has no values"

_ID_NAME = re.compile(
    r"(?i:(?:.*[_ .-])?(?:id|uuid|guid|index|rowid|row_id|key)|Unnamed: 0|)|.*[a-z]I[dD]"
)
# What pandas calls an index without a name in a Parquet file.
_PANDAS_INDEX = re.compile(r"__index_level_[0-9]+__")
_DATE = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{2}){1,2})"
    r"(?:[T ][0-9]{1,2}:.*)?"
)
_NEARLY_ALL = 0.9
# Up to the first number of categories is never too many; more than the second always is.
_FEW, _MANY = 20, 100


def why_unlikely(column: Column) -> str:
    """Return why ``column`` is unlikely to be a feature, as a predicate; empty if it may be one."""
    if not column.texts:
        return NO_VALUES
    if _PANDAS_INDEX.fullmatch(column.name):
        return "is the index of a pandas table"
    if not column.is_number:
        return ""
    if column.distinct == len(column.cells):
        # Measurements may be called an index, such as the body mass index or a refractive index.
        countable = column.kind == "categorical" or bool((np.mod(column.values, 1) == 0).all())
        if countable and _ID_NAME.fullmatch(column.name):
            return "looks like an id"
        if not column.words and _counts(column):
            return "counts the rows"
    if column.kind == "numeric" or column.distinct <= _FEW:
        return ""
    if sum(map(bool, map(_DATE.fullmatch, column.texts))) >= _NEARLY_ALL * len(column.texts):
        return "holds dates (a new one would be an unknown category)"
    once = column.distinct == len(column.texts)
    if not once and not names_rows(column.distinct, len(column.cells)):
        return ""
    if why_texts(column):
        return ""
    if len(column.words) < len(column.texts) / 2 and len(set(column.words)) <= _FEW:
        text = quote(column.words[0])
        return f"holds numbers, and texts such as {text} (for no value? give --missing {text})"
    how_often = "never" if once else "rarely"
    if column.codes:
        return f"{how_often} repeats a text ({column.codes}; their first part may be a feature)"
    return f"{how_often} repeats a text (an id, a name, a note?)"


def has_many_categories(column: Column) -> bool:
    """Return whether ``column`` is categorical, with enough categories for a warning."""
    most = min(_MANY, max(_FEW, len(column.cells) // 2))
    return column.kind == "categorical" and column.distinct > most


def _counts(column: Column) -> bool:
    values = column.values
    return len(values) > 1 and bool(values[0] in (0, 1) and (np.diff(values) == 1).all())
