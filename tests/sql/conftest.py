"""A PostgreSQL server of the tests' own, on a free port of the loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "postgresql"
PASSWORD = "p@ss/w?rd#1"


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
    programs = subprocess.run([SCRIPT], capture_output=True, text=True, check=True).stdout.strip()
    # PostgreSQL does not run as root, and other users cannot enter pytest's folders.
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="ffn-sql-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if as_other:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")

        def run(program: str, *arguments: object) -> None:
            command = [*as_other, f"{programs}/{program}", *map(str, arguments)]
            subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

        data = folder / "data"
        own = ("--auth=scram-sha-256", "--username=ada", f"--pwfile={folder / 'password'}")
        run("initdb", "--pgdata", data, *own, "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        run("pg_ctl", "start", "--wait", "-D", data, "-l", folder / "log", "-o", options)
        try:
            import psycopg

            with psycopg.connect(
                f"host=127.0.0.1 port={port} user=ada dbname=postgres",
                password=PASSWORD,
                autocommit=True,
            ) as connection:
                connection.execute("CREATE DATABASE shop")
            yield Server(port)
        finally:
            run("pg_ctl", "stop", "--wait", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shop(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with an empty database, and the password in the environment."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    with postgresql.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql
