"""Prefect's database on a PostgreSQL server of the tests' own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.conftest import home, root
from tests.helpers.postgresql import PostgreSQL, running_postgresql
from tests.helpers.service import Service

__all__ = ["home", "root"]


class PostgreSQLService(Service):
    """A service whose runs are recorded in PostgreSQL."""

    database: tuple[PostgreSQL, str]

    def rows(self, select: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the service's database as it is."""
        server, name = self.database
        quoted = iter(values)
        filled = re.sub(r"\?", lambda _: "'" + str(next(quoted)).replace("'", "''") + "'", select)
        return [tuple(row) for row in server.execute(filled, name)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as found:
        yield found


@pytest.fixture(scope="session")
def old_postgresql(repository: Path) -> Iterator[PostgreSQL]:
    """A server of a version that is too old for Prefect."""
    script = Path(__file__).parent / "old_postgresql"
    command = [script, repository / "build/postgresql-13"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    with running_postgresql(Path(found.stdout.strip())) as server:
        yield server


@pytest.fixture
def database(postgresql: PostgreSQL, request: pytest.FixtureRequest) -> str:
    """The name of an empty database."""
    name = "prefect_" + re.sub(r"\W", "_", request.node.name)[:40].lower()
    postgresql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgresql.execute(f"CREATE DATABASE {name}")
    return name
