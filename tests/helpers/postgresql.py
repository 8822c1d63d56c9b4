"""A PostgreSQL server of the tests' own, in a folder and on a port of the loopback of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

USER = "ada"
# What a URL gives a meaning to.
PASSWORD = "p@ss/w?rd#1"

_INSTALLING = Path(__file__).parents[1] / "sql" / "postgresql"


class PostgreSQL:
    """A server, which can be stopped and started again.

    Attributes
    ----------
    port
        Where it listens.
    """

    def __init__(self, programs: Path, folder: Path, as_other: list[str]) -> None:
        self._programs = programs
        self._folder = folder
        self._as_other = as_other
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self._as_other, f"{self._programs}/{program}", *map(str, arguments)]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def make(self) -> None:
        own = ("--auth=scram-sha-256", f"--username={USER}", f"--pwfile={self._folder}/password")
        place = ("--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run("initdb", "--pgdata", self._folder / "data", *own, *place)

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -F"
        where = ("-D", self._folder / "data", "-l", self._folder / "log")
        self._run("pg_ctl", "start", "--wait", *where, "-o", options)

    def stop(self) -> None:
        """End it as a machine does that loses its power."""
        self._run("pg_ctl", "stop", "--wait", "-D", self._folder / "data", "-m", "immediate")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement; return its rows."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=self.port,
                user=USER,
                password=PASSWORD,
                database=database,
            )
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def settings(self, database: str, password: str = PASSWORD, user: str = USER) -> dict[str, str]:
        """The variables by which Prefect finds a database of this server."""
        named = {
            "DRIVER": "postgresql+asyncpg",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "USER": user,
            "PASSWORD": password,
            "NAME": database,
        }
        return {f"PREFECT_SERVER_DATABASE_{name}": value for name, value in named.items()}


@contextlib.contextmanager
def running_postgresql(programs: Path | None = None) -> Iterator[PostgreSQL]:
    """Run a server while the block runs; Debian's, unless other programs are named."""
    if programs is None:
        found = subprocess.run([_INSTALLING], capture_output=True, text=True, check=True)
        programs = Path(found.stdout.strip())
    # PostgreSQL does not run as root, and other users cannot enter pytest's folders.
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="ffn-sql-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if as_other:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        server = PostgreSQL(programs, folder, as_other)
        server.make()
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
