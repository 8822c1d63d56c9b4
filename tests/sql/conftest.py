"""A PostgreSQL server of the tests' own, with an empty database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.postgresql import PASSWORD, running_postgresql


class Server:
    """A running server.

    Attributes
    ----------
    port
        Where it listens.
    address
        As settings name it, with the name of a variable in place of the password.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"postgresql://ada:${{SHOP_PASSWORD}}@127.0.0.1:{port}/shop"

    def connect(self):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="ada",
            password=PASSWORD,
            dbname="shop",
            autocommit=True,
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with running_postgresql() as found:
        found.execute("CREATE DATABASE shop")
        yield Server(found.port)


@pytest.fixture
def shop(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with an empty database, and the password in the environment."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    with postgresql.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql
