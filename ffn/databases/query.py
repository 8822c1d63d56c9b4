"""The result of a query as texts, in an order that does not depend on the database."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import ipaddress
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ffn.databases.address import DatabaseAddress
from ffn.databases.column_types import check_type
from ffn.databases.connections import database_session
from ffn.databases.moments_beyond import MomentBeyond, let_moments_beyond_pass
from ffn.errors import DataError, quote
from ffn.tabular.columns.arrow_texts import as_texts, moment_without_text, plain_texts

__all__ = ["cell_text", "columns_of_query", "read_query", "without_semicolon"]

_ROWS_AT_ONCE = 8_192
_NAME = "data.query"


def read_query(
    address: DatabaseAddress, query: str, where: str = _NAME, *, may_be_empty: bool = False
) -> pa.Table:
    """Return all rows of a query, as they are at one moment, as columns of texts.

    Rows are sorted by their cells, from the first column to the last: numbers as numbers, texts by
    the code of their characters, missing cells last. So the same rows are always in the same order,
    whatever the order in the database; an ``ORDER BY`` has no effect. The result is in memory.

    Parameters
    ----------
    address
        Of the database.
    query
        A single statement that returns rows.
    where
        Name of the query in errors.
    may_be_empty
        Whether there may be no rows; by default that is an error.

    Returns
    -------
    table
        ``pyarrow`` table of large texts; null for no value.

    Raises
    ------
    DataError
        The database refuses the query, or the connection is lost; two columns have one name, or
        the cells of one are no plain values; there are fewer than two columns, or no rows.
    SettingsError
        As for `database_session`.
    """
    with database_session(address) as connection:
        statement = without_semicolon(query)
        with _batches(connection, address, statement, where) as (names, batches):
            _check_names(names, where)
            chunks = list(batches)
    schema = pa.schema([(name, pa.large_string()) for name in names])
    tables = [pa.table(columns, schema=schema) for columns in chunks if len(columns[0])]
    if not tables and not may_be_empty:
        raise DataError(f"{where} gives no rows. Correct the query.")
    return _sorted(pa.concat_tables([schema.empty_table(), *tables]))


def columns_of_query(address: DatabaseAddress, query: str) -> tuple[str, ...]:
    """Return the names of a query's columns, without its rows.

    The parameters are the first two of `read_query`, and so are the errors.
    """
    with database_session(address) as connection:
        found = connection.execute(
            f"SELECT * FROM (\n{without_semicolon(query)}\n) AS ffn_query LIMIT 0"  # noqa: S608
        )
        return tuple(column[0] for column in found.description)


def without_semicolon(query: str) -> str:
    """Return ``query`` without what ends a statement, so that it can be part of another one."""
    return query.strip().rstrip(";").rstrip()


def _check_names(names: Sequence[str], where: str) -> None:
    if len(names) < 2:
        raise DataError(
            f"{where} gives {len(names)} column. Select a label column and at least one feature."
        )
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"{where}: {names.count(name)} columns are named {quote(name)}. Give each a name "
                "of its own, with AS."
            )


@contextlib.contextmanager
def _batches(
    connection: Any, address: DatabaseAddress, query: str, where: str
) -> Iterator[tuple[list[str], Iterator[list[Any]]]]:
    """Yield the names of the columns, and their texts some thousand rows at a time."""
    if address.kind == "duckdb":
        # DuckDB's own types, such as 32-bit floats, are Arrow's.
        relation = connection.sql(query)
        if relation is None:
            raise _no_columns(where)
        _check_types(relation.columns, relation.types, where)
        reader = relation.to_arrow_reader(_ROWS_AT_ONCE)
        names = list(reader.schema.names)
        places = [f"{where}, column {quote(name)}" for name in names]
        yield (
            names,
            (list(map(_texts_of_arrow, batch.columns, places)) for batch in reader),
        )
        return
    # PostgreSQL's has a name: it is on the server, and the rows come in pieces.
    named = {"name": "ffn"} if address.kind == "postgresql" else {}
    with contextlib.closing(connection.cursor(**named)) as cursor:
        if address.kind == "postgresql":
            let_moments_beyond_pass(cursor)
        cursor.execute(query)
        if cursor.description is None:
            raise _no_columns(where)
        names = [column[0] for column in cursor.description]
        if address.kind == "postgresql":
            _check_types(names, [column.type_display for column in cursor.description], where)
        yield names, _fetched(cursor, names, where)


def _check_types(names: Sequence[str], types: Sequence[Any], where: str) -> None:
    for name, own in zip(names, types, strict=True):
        check_type(str(own), name, where)


def _no_columns(where: str) -> DataError:
    return DataError(f"{where} gives no columns. Give a single SELECT.")


def _fetched(cursor: Any, names: Sequence[str], where: str) -> Iterator[list[Any]]:
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield [
            _texts(column, f"{where}, column {quote(name)}")
            for name, column in zip(names, zip(*rows, strict=True), strict=True)
        ]


def _texts_of_arrow(column: Any, where: str) -> Any:
    texts = plain_texts(column, where, ".")
    if (beyond := moment_without_text(column, texts)) is not None:
        raise _beyond(beyond[1], where)
    return texts


def _texts(values: Sequence[Any], where: str) -> Any:
    """Return the values of a column as texts, those that Arrow writes for the same values."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {float}:
        return as_texts(pa.array(values, pa.float64()), where, ".").cast(pa.large_string())
    return pa.array([cell_text(value, where) for value in values], pa.large_string())


def cell_text(value: Any, where: str) -> str | None:
    """Return a value as the text of a cell; None for no value.

    Parameters
    ----------
    value
        As a driver returns it.
    where
        Query and column, for errors.

    Raises
    ------
    DataError
        It is no plain value.
    """
    match value:
        case None:
            return None
        case MomentBeyond():
            raise _beyond(value, where)
        case bool():
            return "True" if value else "False"
        case str():
            return value
        case int() | uuid.UUID() | ipaddress.IPv4Address() | ipaddress.IPv6Address():
            return str(value)
        case ipaddress.IPv4Network() | ipaddress.IPv6Network():
            return str(value)
        case float():
            # Not all cells of the column are floats: SQLite's columns have no types.
            return as_texts(pa.array([value]), where, ".")[0].as_py()  # type: ignore[no-any-return]
        case decimal.Decimal():
            return None if value.is_nan() else format(value, "f")
        case datetime.datetime() if value.tzinfo is not None:
            return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ") + "Z"
        case datetime.datetime():
            return value.isoformat(" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
    raise DataError(
        f"{where}: cells of the type {type(value).__name__} are not plain values. Select numbers, "
        "texts, dates or times."
    )


def _beyond(found: str, where: str) -> DataError:
    return DataError(
        f"{where}: {quote(found)} is no date from the year 1 to 9999, and no time of day before "
        "24:00. Leave such rows out in the query, or select NULL for it."
    )


def _sorted(table: pa.Table) -> pa.Table:
    """Return the rows in an order that follows from their content alone."""
    keys: list[tuple[str, Any]] = []
    for number, column in enumerate(table.columns):
        numbers = _numbers(column)
        if numbers is not None:
            keys.append((f"{number} as numbers", numbers))
        # Of equal numbers, 1 and 1.0, and of those beyond the precision of floats.
        keys.append((f"{number}", column))
    order = pc.sort_indices(
        pa.table(dict(keys)), sort_keys=[(name, "ascending", "at_end") for name, _ in keys]
    )
    return table.take(order)


def _numbers(column: Any) -> Any:
    try:
        return pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return None
