"""Types of a query's columns by their names in SQL, and what to select in place of some."""

from __future__ import annotations

import re

from ffn.errors import DataError, quote

__all__ = ["check_type"]

# What a driver or Arrow would return of them has another meaning in each database: DuckDB's times
# of day lose their offset, and JSON is a text in DuckDB and a value in PostgreSQL.
_REFUSED = (
    (
        re.compile(r"time with time zone|timetz", re.IGNORECASE),
        "Select CAST({} AS TIME), which is what its clock shows, without the offset",
    ),
    (re.compile(r"jsonb?", re.IGNORECASE), "Select a value of it as text, with {} ->> 'key'"),
    (re.compile(r"interval", re.IGNORECASE), "Select its seconds, with EXTRACT(EPOCH FROM {})"),
    (
        re.compile(r".*\[[0-9]*\]|(struct|map|union)\(.*|record", re.IGNORECASE | re.DOTALL),
        "Select numbers, texts, dates or times",
    ),
)


def check_type(sql_type: str, name: str, where: str) -> None:
    """Refuse a column whose cells are no plain values, or not the same in every database.

    Parameters
    ----------
    sql_type
        As the database calls it, such as ``numeric(5,2)``.
    name
        Of the column.
    where
        Name of the query in errors.

    Raises
    ------
    DataError
        Its cells are times of day with a time zone, JSON, intervals, or nested.
    """
    for names, remedy in _REFUSED:
        if names.fullmatch(sql_type):
            raise DataError(
                f"{where}, column {quote(name)}: cells of the type {' '.join(sql_type.split())} "
                f"are not plain values. {remedy.format(name)}."
            )
