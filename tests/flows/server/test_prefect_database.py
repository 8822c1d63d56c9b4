"""Which database Prefect's server uses, and that no text shows a password.

What a real PostgreSQL says is in ``tests/scale/postgresql``.
"""

from __future__ import annotations

import contextlib
import socket

import pytest
from prefect.settings import (
    PREFECT_CLIENT_RETRY_EXTRA_CODES,
    PREFECT_HOME,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)

from flows.server.database_check import refusal_in, telling_refusals
from flows.server.prefect_database import (
    DatabaseError,
    client_settings,
    prefect_database,
)
from tests.helpers.command_line import run_apart

SECRET = "hunter2"


@contextlib.contextmanager
def named(url):
    with temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: url}):
        yield


def test_without_settings_it_is_prefects_file():
    found = prefect_database()
    assert (found.is_postgresql, found.given) == (False, False)
    assert str(found) == f"SQLite in {PREFECT_HOME.value()}/prefect.db"
    assert client_settings() == {}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"postgresql+asyncpg://ada:{SECRET}@db.example:6000/runs",
            'PostgreSQL at db.example:6000, database "runs"',
        ),
        (
            f"postgresql+asyncpg://ada:{SECRET}@db.example/runs?ssl=require",
            'PostgreSQL at db.example:5432, database "runs"',
        ),
        (
            f"postgresql+asyncpg://ada:{SECRET}%40x%2Fy@[::1]/runs",
            'PostgreSQL at ::1:5432, database "runs"',
        ),
        ("sqlite+aiosqlite:////srv/runs.db", "SQLite in /srv/runs.db"),
    ],
)
def test_what_is_shown_has_no_password(url, shown):
    with named(url):
        found = prefect_database()
    assert found.given
    assert str(found) == shown
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"postgresql+asyncpg://ada:x@{SECRET}/w?y@db.example/runs", "a password in it needs %40"),
        (f"{SECRET}", "cannot be read"),
        (f"postgresql+asyncpg://ada:{SECRET}@db.example:port/runs", "cannot be read"),
        (f"postgresql://ada:{SECRET}@db.example/runs", 'begins with "postgresql"'),
        (f"postgres://ada:{SECRET}@db.example/runs", 'begins with "postgres"'),
        (f"mysql+aiomysql://ada:{SECRET}@db.example/runs", 'begins with "mysql\\+aiomysql"'),
        (f"postgresql+asyncpg://ada:{SECRET}@db.example", "names no database"),
    ],
)
def test_an_address_that_prefect_cannot_use_is_refused_without_showing_it(url, why):
    with named(url), pytest.raises(DatabaseError, match=why) as refused:
        prefect_database()
    said = str(refused.value)
    assert SECRET not in said
    assert "Expected postgresql+asyncpg://USER@HOST:5432/NAME" in said
    assert "\n" not in said


def test_clients_ask_again_while_postgresql_is_away_unless_told_otherwise():
    with named("postgresql+asyncpg://ada@db.example/runs"):
        with temporary_settings(client_settings()):
            assert PREFECT_CLIENT_RETRY_EXTRA_CODES.value() == {500}
        with temporary_settings({PREFECT_CLIENT_RETRY_EXTRA_CODES: "404"}):
            assert client_settings() == {}


def test_wrong_settings_are_a_line(trained, tmp_path):
    """Prefect itself would show all settings, with their values."""
    url = f"postgresql+asyncpg://{SECRET}:${{PREFECT_SERVER_DATABASE_PASSWORD}}@db.example/runs"
    known = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
    done = run_apart(tmp_path, "score", "iris", "--root", trained, **known)
    assert done.refusal.startswith("Prefect's settings are wrong (settings: Value error, database")
    assert "please set PREFECT_SERVER_DATABASE_PASSWORD" in done.refusal
    assert SECRET not in done.refusal


def test_a_database_that_does_not_answer_is_a_line(trained, tmp_path):
    with socket.socket() as nobody:
        # Bound, and not listening: every connection is refused.
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        url = f"postgresql+asyncpg://ada:{SECRET}@127.0.0.1:{port}/runs"
        known = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
        done = run_apart(tmp_path, "score", "iris", "--root", trained, **known)
    assert done.refusal.startswith(f"PostgreSQL at 127.0.0.1:{port} does not answer (")
    assert done.refusal.endswith("Or add --direct to run without Prefect.")
    assert SECRET not in done.refusal


def test_a_refused_server_ends_with_the_reason(capfd):
    with pytest.raises(SystemExit, match="1"), telling_refusals():
        raise DatabaseError("PostgreSQL has gone fishing.")
    last = capfd.readouterr().err.splitlines()[-1]
    assert refusal_in(last) == "PostgreSQL has gone fishing."
    assert refusal_in("Traceback (most recent call last):") == ""
