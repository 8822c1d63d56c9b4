"""``ffn serve`` as a user starts it, in a home and on a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.helpers.command_line import command, environment
from tests.helpers.waiting import wait_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes(home: Path) -> dict[int, str]:
    """Living processes that were started with this home."""
    mark = f"HOME={home}\0".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes() + b"\0":
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


class Service:
    """A service that was started, and what its files say."""

    def __init__(self, root: Path, home: Path, *arguments: str, **variables: str) -> None:
        self.root, self.home = root, home
        self.port = free_port()
        self.arguments, self.variables = arguments, variables
        self.log = home / "serve.log"
        self.run: subprocess.Popen[bytes]

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        return (self.root / "artifacts/.serve/auth").read_text().strip()

    @property
    def said(self) -> str:
        return self.log.read_text()

    def start(self) -> Service:
        self.launch()
        wait_for(self._serves)
        return self

    def launch(self) -> None:
        """Start it, and do not wait until it serves."""
        own_server = "PREFECT_API_URL" not in self.variables
        port = ("--port", str(self.port)) if own_server else ()
        with self.log.open("wb") as log:
            self.run = subprocess.Popen(
                command("serve", "--root", self.root, *port, *self.arguments),
                env=environment(self.home, **self.variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _serves(self) -> bool:
        assert self.run.poll() is None, self.said
        return "The dashboard: " in self.said

    def processes_of_runs(self) -> list[int]:
        found = processes(self.home).items()
        return [pid for pid, line in found if "flows.service.served_run" in line]

    def server(self) -> int:
        (found,) = [pid for pid, line in processes(self.home).items() if "server_process" in line]
        return found

    def end(self, number: int = signal.SIGTERM) -> float:
        """End it, and return the seconds that took until no process was left."""
        started = time.monotonic()
        self.run.send_signal(number)
        wait_for(lambda: not processes(self.home))
        assert self.run.wait() == 0, self.said
        return time.monotonic() - started

    def kill(self) -> None:
        for pid in processes(self.home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.run.wait()

    def rows(self, select: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the service's database as it is."""
        database = self.root / "artifacts/.serve/prefect.db"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as found:
            return found.execute(select, values).fetchall()

    def states(self) -> list[tuple[str, str]]:
        """Names and states of all runs that are not still to come, the oldest first."""
        return self.rows(
            "SELECT name, state_name FROM flow_run WHERE state_type <> 'SCHEDULED' "
            "ORDER BY start_time"
        )

    def message(self, name: str) -> str:
        """The message of a run's last state."""
        ((state,),) = self.rows(
            "SELECT s.message FROM flow_run r JOIN flow_run_state s ON s.id = r.state_id "
            "WHERE r.name = ? ORDER BY r.created DESC LIMIT 1",
            name,
        )
        return str(state)

    def artifact(self, key: str) -> str:
        """The newest artifact of a key."""
        rows = self.rows("SELECT data FROM artifact WHERE key = ? ORDER BY created", key)
        return str(json.loads(rows[-1][0])) if rows else ""

    def production(self, pipeline: str = "iris") -> int | None:
        with contextlib.suppress(OSError, ValueError):
            path = self.root / "artifacts" / pipeline / "production.json"
            return int(json.loads(path.read_bytes())["version"])
        return None


@contextlib.contextmanager
def serving(root: Path, home: Path, *arguments: str, **variables: str) -> Iterator[Service]:
    service = Service(root, home, *arguments, **variables)
    try:
        yield service.start()
    finally:
        service.kill()


def quicken(root: Path, more: str = "", name: str = "iris") -> None:
    """Make a pipeline quick to train, without schedules but those in ``more``."""
    settings = root / "data" / name / "pipeline.toml"
    text = settings.read_text().partition("[schedule]")[0]
    text = re.sub(r"epochs = \d+", "epochs = 15", text)
    settings.write_text(re.sub(r"networks = \d+", "networks = 3", text) + more)
