"""Whether a column holds numbers or categories, and what it may hold then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.tabular.schema import Kind
from ffn.tabular.typed import LARGEST, Count

__all__ = ["check_kinds", "check_numbers", "kind_of", "names_rows"]

# A column in which nearly all cells are numbers is numeric, and the others are mistakes.
_NUMERIC_SHARE = 0.9
# A text column with more values than this, most of them met once, names rows, not kinds.
_MOST_CATEGORIES = 100


def kind_of(count: Count) -> Kind:
    """Return what a column is by what it holds."""
    if count.texts and count.numbers < _NUMERIC_SHARE * (count.numbers + count.texts):
        return "categorical"
    return "numeric"


def names_rows(categories: int, rows: int) -> bool:
    """Say whether so many categories in so many rows are rather ids, dates or notes."""
    return categories > max(_MOST_CATEGORIES, rows // 2)


def check_kinds(named: Iterable[str], features: Sequence[str], where: str) -> None:
    """Refuse settings that give the kind of a column that is not learnt from.

    Raises
    ------
    SettingsError
        There is such a column among ``named``.
    """
    for name in named:
        if name not in features:
            raise SettingsError(
                f"{where}: data.kinds names {quote(name)}, which is not a feature. Take it out of "
                f"[data.kinds], or make the column a feature.{did_you_mean(name, features)}"
            )


def check_numbers(name: str, count: Count, where: str) -> None:
    """Refuse a numeric column with a text or an absurd number in it.

    Raises
    ------
    DataError
        It has one; the first is named.
    """
    bad, what = count.first_text, "not a finite number"
    if bad is None:
        bad, what = count.first_large, f"beyond ±{LARGEST:g}"
    if bad is not None:
        raise DataError(
            f"{where} row {bad.row} (line {bad.line}), column {quote(name)}: "
            f"{quote(bad.text)} is {what}, and the column is numeric. Correct the cell, add its "
            "text to data.missing_values, or set the column's kind in [data.kinds]."
        )
