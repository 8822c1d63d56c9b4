"""Connections to databases: one transaction each, and errors of one line without secrets."""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted_in_url

from ffn.databases.address import DatabaseAddress, Login
from ffn.errors import DataError, FFNError, SettingsError
from ffn.extras import how_to_install

__all__ = ["database_session"]

# Seconds to wait for a database that another process has locked.
_PATIENCE = 30
_CONNECT_SECONDS = "15"
_MODULES = {"duckdb": "duckdb", "postgresql": "psycopg"}


@contextlib.contextmanager
def database_session(address: DatabaseAddress, *, write: bool = False) -> Iterator[Any]:
    """Connect to a database and open a transaction; yield the driver's connection.

    What is read in the block is the database at one moment. It is committed at the end of the
    block, and rolled back if that raises anything.

    Parameters
    ----------
    address
        Of the database.
    write
        Whether anything is written; by default nothing can be.

    Raises
    ------
    DataError
        The database refuses the connection or what is asked of it, or the connection is lost.
        Nothing is changed.
    SettingsError
        The driver is not installed, or a variable that the address names is not set.
    """
    driver = _driver(address)
    login = address.login()
    try:
        connection = _connect(address, login, driver, write=write)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # A lost connection cannot be rolled back; the server has done it.
            with contextlib.suppress(Exception):
                connection.execute("ROLLBACK")
            raise
        finally:
            with contextlib.suppress(Exception):
                connection.close()
    except FFNError:
        raise
    except (driver.Error, sqlite3.Warning) as error:
        said = address.masked(error, login.secrets)
        raise DataError(f"{address.text}: {said or type(error).__name__}.") from None


def _driver(address: DatabaseAddress) -> Any:
    if address.kind == "sqlite":
        return sqlite3
    name = _MODULES[address.kind]
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SettingsError(
            f"{address.kind}:// needs the package {name}, which is not installed. Install it: "
            f"{how_to_install('sql')}"
        ) from None


def _connect(address: DatabaseAddress, login: Login, driver: Any, *, write: bool) -> Any:
    if address.kind == "postgresql":
        arguments = {"connect_timeout": _CONNECT_SECONDS, **login.arguments}
        connection = driver.connect(**arguments, autocommit=True)
        connection.execute(
            # What is written has to see what another process has written while this one waited.
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            if write
            else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        return connection
    if not Path(login.path).is_file():
        shown = address.masked(login.path, login.secrets)
        raise DataError(f"{address.text}: there is no file {shown}. Give the path of one.")
    if address.kind == "duckdb":
        connection = driver.connect(login.path, read_only=not write)
        connection.execute("BEGIN TRANSACTION")
        return connection
    mode = "rw" if write else "ro"
    connection = sqlite3.connect(
        f"file:{quoted_in_url(login.path)}?mode={mode}",
        uri=True,
        timeout=_PATIENCE,
        isolation_level=None,
    )
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    return connection
