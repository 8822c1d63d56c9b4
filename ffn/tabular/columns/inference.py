"""Whether a column holds numbers or categories, and what it may hold then."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.columns.format_advice import advice_on_format
from ffn.tabular.columns.parsers import LARGEST, Count
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind

__all__ = [
    "check_formats",
    "check_kinds",
    "check_numbers",
    "kind_of",
    "names_rows",
    "refuse_second_header",
]

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


def check_formats(
    formats: Mapping[str, str], kinds: Mapping[str, Kind], features: Sequence[str], where: str
) -> None:
    """Refuse settings that give the format of a column that is not learnt from as numbers.

    Raises
    ------
    SettingsError
        There is such a column among ``formats``.
    """
    for name in formats:
        if name not in features:
            raise SettingsError(
                f"{where}: data.formats names {quote(name)}, which is not a feature. Take it out "
                f"of [data.formats], or make the column a feature.{did_you_mean(name, features)}"
            )
        if kinds.get(name) == "categorical":
            raise SettingsError(
                f"{where}: data.formats says how the numbers of {quote(name)} are written, and "
                "data.kinds that it is categorical. Take out one."
            )


def check_numbers(
    name: str, count: Count, where: str, form: NumberFormat | None = None, decimal: str = "."
) -> None:
    """Refuse a numeric column with a text or an absurd number in it.

    Parameters
    ----------
    form, decimal
        How its numbers are written; the mark where no format is given.

    Raises
    ------
    DataError
        It has one; the first is named.
    """
    bad, what = count.first_text, "not a finite number"
    if form is not None:
        what = f"no number written as {quote(form.example)} (data.formats)"
    if bad is None:
        bad, what = count.first_large, f"beyond ±{LARGEST:g}"
    if bad is not None:
        advice = "" if form else advice_on_format(name, {trim(bad.text): 1}, decimal)
        advice += " " if advice else ""
        raise DataError(
            f"{where} row {bad.row} (line {bad.line}), column {quote(name)}: "
            f"{quote(bad.text)} is {what}, and the column is numeric. {advice}Correct the cell, "
            "add its text to data.missing_values, or set the column's kind in [data.kinds]."
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
