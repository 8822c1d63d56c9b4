"""Whether a column holds numbers or categories, and what it may hold then."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ffn.errors import DataError, SettingsError, quote
from ffn.tabular.features import columns_found
from ffn.tabular.schema import Kind
from ffn.tabular.typed import LARGEST, Count

__all__ = ["check_kinds", "check_numbers", "kind_of", "names_rows", "refuse_second_header"]

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


def check_kinds(
    named: Iterable[str], header: Sequence[str], features: Sequence[str], where: str
) -> None:
    """Refuse settings that give the kind of a column that is not learnt from, or not there.

    Raises
    ------
    SettingsError
        There is such a column among ``named``.
    """
    for name in named:
        if name not in header:
            raise SettingsError(
                f"{where} has no column {quote(name)}, which data.kinds names"
                f"{columns_found(name, header)}"
            )
        if name not in features:
            raise SettingsError(
                f"{where}: data.kinds names {quote(name)}, which is not a feature. Take it out of "
                "[data.kinds], or make the column a feature."
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


def refuse_second_header(counts: Mapping[str, Count], path: Path) -> None:
    """Refuse a table whose first row says what the columns mean, in words, as survey files do.

    Parameters
    ----------
    counts
        Of the numeric columns, by name.
    path
        The file.

    Raises
    ------
    DataError
        Two columns or more are numbers but for a text in the first row.
    """
    texts = {name: count.first_text for name, count in counts.items() if count.texts}
    found = {name: cell for name, cell in texts.items() if cell is not None and cell.row == 1}
    if len(found) < max(2, len(texts)) or any(counts[name].texts > 1 for name in found):
        return
    (name, cell), *_ = found.items()
    raise DataError(
        f"{path.name} row 1 (line {cell.line}): {len(found)} columns of numbers hold a text in "
        f"this row alone, such as {quote(cell.text)} in column {quote(name)}. If they are units "
        "or descriptions, take the line out: "
        f"sed {cell.line}d {shlex.quote(str(path))} > mended.csv"
    )
