"""Infer whether a column is numeric or categorical, and check its content against that."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.tabular.cell_forms import CellForm, expected_in, held_in
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

# If at least this share of the cells are numbers, the column is numeric and the others mistakes.
_NUMERIC_SHARE = 0.9
# A text column with more values than this, most of them unique, identifies rows.
_MOST_CATEGORIES = 100


def kind_of(count: Count) -> Kind:
    """Return the kind of a column in which ``count`` numbers and texts were found."""
    if count.texts and count.numbers < _NUMERIC_SHARE * (count.numbers + count.texts):
        return "categorical"
    return "numeric"


def names_rows(categories: int, rows: int) -> bool:
    """Return whether this many ``categories`` in ``rows`` rows suggest IDs, dates or notes."""
    return categories > max(_MOST_CATEGORIES, rows // 2)


def check_kinds(
    named: Iterable[str], header: Sequence[str], features: Sequence[str], where: str
) -> None:
    """Check that ``[data.kinds]`` names features only.

    Parameters
    ----------
    named
        Columns in the setting.
    header, features
        Column names of the file, and those that are features.
    where
        Name of the file in errors.

    Raises
    ------
    SettingsError
        A column does not exist or is not a feature.
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
    """Check that ``[data.formats]`` names features only, and none that is set to categorical.

    Parameters
    ----------
    formats, kinds
        The settings ``data.formats`` and ``data.kinds``, by column.
    features
        Names of the features.
    where
        Name of the file in errors.

    Raises
    ------
    SettingsError
        A column is not a feature, or is categorical.
    """
    for name in formats:
        if name not in features:
            raise SettingsError(
                f"{where}: data.formats names {quote(name)}, which is not a feature. Take it out "
                f"of [data.formats], or make the column a feature.{did_you_mean(name, features)}"
            )
        if kinds.get(name) == "categorical":
            raise SettingsError(
                f"{where}: data.formats gives a format for {quote(name)}, but data.kinds "
                "says that it is categorical. Take out one."
            )


def check_numbers(
    name: str, count: Count, where: str, form: CellForm | None = None, decimal: str = "."
) -> None:
    """Refuse a numeric column that contains a text or an implausibly large number.

    Parameters
    ----------
    name
        Header of the column.
    count
        What the column holds.
    where
        Name of the file in errors.
    form
        Format of its numbers; None for plain numbers.
    decimal
        Decimal mark of plain numbers.

    Raises
    ------
    DataError
        It contains one; the message names the first.
    """
    bad, what = count.first_text, "not a finite number"
    if form is not None:
        what = f"not {expected_in(form)} (data.formats)"
    if bad is None:
        bad, what = count.first_large, f"beyond ±{LARGEST:g}"
    if bad is not None:
        advice = "" if form else advice_on_format(name, {trim(bad.text): 1}, decimal)
        advice += " " if advice else ""
        holds, remedy = "is numeric", "set the column's kind in [data.kinds]"
        if form is not None and not isinstance(form, NumberFormat):
            holds, remedy = f"holds {held_in(form)}", "take the column out of [data.formats]"
        raise DataError(
            f"{where} row {bad.row} (line {bad.line}), column {quote(name)}: "
            f"{quote(bad.text)} is {what}, and the column {holds}. {advice}Correct the cell, "
            f"add its text to data.missing_values, or {remedy}."
        )


def refuse_second_header(counts: Mapping[str, Count], path: Path) -> None:
    """Refuse a table whose first row describes the columns in words, as in survey exports.

    Parameters
    ----------
    counts
        Counts of the numeric columns, by name.
    path
        The file.

    Raises
    ------
    DataError
        At least two numeric columns have a text in the first row and no other text.
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
