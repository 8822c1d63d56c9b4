"""Refuse columns of a training table that nothing can be learned from."""

from __future__ import annotations

from collections.abc import Collection

from ffn.errors import DataError, quote
from ffn.tabular.columns.format_advice import advice_on_dates, advice_on_format
from ffn.tabular.columns.inference import names_rows
from ffn.tabular.columns.parsers import CategoryColumn, Count

__all__ = ["check_categories", "check_values"]


def check_values(name: str, count: Count, where: str) -> None:
    """Refuse a column without values.

    Parameters
    ----------
    name
        The column.
    count
        What it holds.
    where
        Name of the file.

    Raises
    ------
    DataError
        No cell of the column has a value.
    """
    if not count.numbers and not count.texts:
        raise DataError(
            f"{where}, column {quote(name)}: no values to learn from. Add it to data.exclude."
        )


def check_categories(
    name: str,
    column: CategoryColumn,
    rows: int,
    where: str,
    *,
    missing_values: Collection[str],
    decimal: str,
) -> str | None:
    """Return advice on a column of categories that may be something else; None without any.

    Parameters
    ----------
    name
        The column.
    column
        Its texts.
    rows
        Number of rows of the table.
    where
        Name of the file.
    missing_values, decimal
        As in `DataSettings`.

    Raises
    ------
    DataError
        The texts look like names or identifiers of the rows.
    """
    counts = {
        text: int(count)
        for text, count in zip(column.texts, column.rows, strict=True)
        if text not in missing_values
    }
    advice = advice_on_format(name, counts, decimal) or advice_on_dates(name, counts)
    if names_rows(len(counts), rows):
        raise DataError(
            f"{where}, column {quote(name)}: {len(counts):,} different texts in {rows:,} rows look "
            f"like names or ids. {advice and advice + ' Or add'}{'' if advice else 'Add'} it to "
            "data.exclude, or set its kind in [data.kinds]."
        )
    if not advice:
        return None
    return f"column {quote(name)} is read as {len(counts):,} categories. {advice.rstrip('.')}"
