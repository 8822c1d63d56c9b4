"""Append rows to a table of a database: all of them or none, and each run of rows once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from ffn.databases.address import DatabaseAddress
from ffn.databases.connections import database_session
from ffn.databases.query import without_semicolon
from ffn.errors import DataError, SettingsError, did_you_mean, quote

__all__ = ["RUN_COLUMN", "append_rows", "without_known"]

RUN_COLUMN = "ffn_run"
"""Column that says which run a row is of."""

_ROWS_AT_ONCE = 8_192

Row = Sequence[str | None]


def append_rows(
    address: DatabaseAddress,
    table: str,
    query: str,
    columns: Sequence[str],
    added: Sequence[tuple[str, str]],
    rows: Iterable[Row],
    run: str,
) -> int | None:
    """Append rows to a table in one transaction, unless rows of this run are there already.

    A table that does not exist is made: with the types of the query's columns, those that were
    added, and ``ffn_run``.

    Parameters
    ----------
    address
        Of the database.
    table
        Name of the table.
    query
        Gives the columns of the rows before others were added.
    columns
        Those of the query that the rows have.
    added
        Further columns, with their types in SQL.
    rows
        Cells as texts, None for no value, in the order of both.
    run
        Identifies the rows: what they were made of.

    Returns
    -------
    written
        Number of rows; None if those of this run are there already.

    Raises
    ------
    DataError
        The table has not all of these columns, a cell does not fit into its column, or the database
        refuses what is asked, or is lost: nothing is written.
    SettingsError
        As for `database_session`.
    """
    names = [*columns, *(name for name, _ in added), RUN_COLUMN]
    where = ".".join(map(_quoted, table.split(".")))
    for name in columns:
        if name == RUN_COLUMN:
            raise SettingsError(
                f"the query has a column {RUN_COLUMN}, which scoring adds. Rename it."
            )
    with database_session(address, write=True) as connection:
        connection.execute(_creation(where, query, columns, added))
        if address.kind == "postgresql":
            # Another process that writes the same run waits here, and then sees its rows.
            connection.execute(f"LOCK TABLE {where} IN SHARE ROW EXCLUSIVE MODE")
        _check_columns(connection, where, table, names)
        mark = "%s" if address.kind == "postgresql" else "?"
        there = connection.execute(
            f"SELECT 1 FROM {where} WHERE {RUN_COLUMN} = {mark} LIMIT 1", (run,)
        ).fetchone()
        if there is not None:
            return None
        return _insert(connection, address, where, names, ((*row, run) for row in rows))


def without_known(address: DatabaseAddress, query: str, table: str, column: str) -> str:
    """Return a query that leaves out the rows which are in a table already.

    Parameters
    ----------
    address
        Of the database.
    query
        What to select.
    table
        Name of the table; one that does not exist has no rows.
    column
        Column of both, by which a row is recognised.

    Raises
    ------
    DataError
        The table has no such column, or the database refuses what is asked.
    SettingsError
        As for `database_session`.
    """
    where = ".".join(map(_quoted, table.split(".")))
    with database_session(address) as connection:
        if not _exists(connection, address, table):
            return query
        _check_columns(connection, where, table, [column])
    name = _quoted(column)
    return (
        f"SELECT * FROM (\n{without_semicolon(query)}\n) AS ffn_query WHERE NOT EXISTS "
        f"(SELECT 1 FROM {where} AS ffn_table WHERE ffn_table.{name} = ffn_query.{name})"
    )


def _exists(connection: Any, address: DatabaseAddress, table: str) -> bool:
    schema, _, name = table.rpartition(".")
    if address.kind == "sqlite":
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,))
    else:
        mark = "%s" if address.kind == "postgresql" else "?"
        asked, given = f"table_name = {mark}", [name]
        if schema:
            asked, given = f"{asked} AND table_schema = {mark}", [name, schema]
        found = connection.execute(f"SELECT 1 FROM information_schema.tables WHERE {asked}", given)
    return found.fetchone() is not None


def _creation(
    where: str, query: str, columns: Sequence[str], added: Sequence[tuple[str, str]]
) -> str:
    selected = [_quoted(name) for name in columns]
    selected += [
        f"CAST(NULL AS {of}) AS {_quoted(name)}" for name, of in [*added, (RUN_COLUMN, "TEXT")]
    ]
    return (
        f"CREATE TABLE IF NOT EXISTS {where} AS SELECT {', '.join(selected)} FROM (\n"
        f"{without_semicolon(query)}\n) AS ffn_query LIMIT 0"
    )


def _check_columns(connection: Any, where: str, table: str, names: Sequence[str]) -> None:
    there = [
        column[0] for column in connection.execute(f"SELECT * FROM {where} LIMIT 0").description
    ]
    for name in names:
        if name not in there:
            raise DataError(
                f"the table {quote(table)} has no column {quote(name)}.{did_you_mean(name, there)} "
                "Nothing was written. Add the column, or name another table, which is then made."
            )


def _insert(
    connection: Any, address: DatabaseAddress, where: str, names: Sequence[str], rows: Iterator[Row]
) -> int:
    listed = ", ".join(map(_quoted, names))
    written = 0
    if address.kind == "postgresql":
        with connection.cursor().copy(f"COPY {where} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                written += 1
        return written
    marks = ", ".join("?" * len(names))
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        if address.kind == "duckdb":
            # Row by row, DuckDB takes a thousand times as long.
            cells = [pa.array(column, pa.large_string()) for column in zip(*some, strict=True)]
            connection.register(
                "ffn_rows", pa.table(cells, names=[str(n) for n in range(len(names))])
            )
            connection.execute(f"INSERT INTO {where} ({listed}) SELECT * FROM ffn_rows")
            connection.unregister("ffn_rows")
        else:
            connection.executemany(f"INSERT INTO {where} ({listed}) VALUES ({marks})", some)
        written += len(some)
    return written


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
