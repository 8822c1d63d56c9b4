"""A retraining that goes on for minutes, and the server that it has, as a stranger finds it."""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.helpers.command_line import REPOSITORY, command, environment
from tests.helpers.prefect_home import started_before
from tests.helpers.service import processes
from tests.helpers.waiting import LAST_RESORT, wait_for


def states(home: Path, table: str) -> dict[str, str]:
    """Names and states of the last runs that Prefect has recorded."""
    database = home / ".prefect/prefect.db"
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
    ):
        select = f"SELECT name, state_type FROM {table} ORDER BY created"
        return dict(connection.execute(select).fetchall())
    return {}


def trains(home: Path) -> bool:
    """Whether a training runs, and the server has heard of it."""
    return any(
        name.startswith("train-") and state == "RUNNING"
        for name, state in states(home, "task_run").items()
    )


def listening_ports(pid: int) -> list[int]:
    """Ports at which a process listens, as anybody on this machine may find them out."""
    own = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed meanwhile.
        with contextlib.suppress(OSError):
            own.add(str(link.readlink()))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        int(line[1].split(":")[1], 16)
        for line in lines
        if line[3] == "0A" and f"socket:[{line[9]}]" in own
    ]


class Run:
    """A retraining at work, and the server it has."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        self.process, self.home = process, home

    def find_server(self) -> bool:
        self._check()
        found = [pid for pid, line in processes(self.home).items() if "server_process" in line]
        self.pid = found[0] if found else None
        ports = listening_ports(found[0]) if found else []
        self.port = ports[0] if ports else None
        return self.port is not None and self.answers()

    def has_begun(self) -> bool:
        self._check()
        return bool(set(states(self.home, "flow_run").values()) - {"PENDING"})

    def _check(self) -> None:
        assert self.process.poll() is None, "the run has ended"

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self.ask("GET", "/health").status_code == 200
        return False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        variables = Path(f"/proc/{self.pid}/environ").read_bytes().split(b"\0")
        name = b"PREFECT_SERVER_API_AUTH_STRING="
        (key,) = [v.removeprefix(name).decode() for v in variables if v.startswith(name)]
        return key

    @property
    def with_key(self) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(self.key.encode()).decode()}"}

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=LAST_RESORT) as client:
            url = f"http://{self.address}/api{path}"
            return client.request(method, url, headers=headers or {}, **more)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Run]:
    """Run it while the block runs, from where its server answers and knows the run.

    From then on it is stopped: the server does not depend on what the run computes, which would
    take a processor from the tests.
    """
    settings = shutil.copytree(REPOSITORY / "data", home / "root/data") / "iris/pipeline.toml"
    settings.write_text(re.sub(r"epochs = \d+", "epochs = 500000", settings.read_text()))
    started_before(home / ".prefect")
    process = subprocess.Popen(
        command("retrain", "iris", "--root", home / "root", "--workers", "1"),
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = Run(process, home)
    try:
        wait_for(found.find_server)
        wait_for(found.has_begun)
        process.send_signal(signal.SIGSTOP)
        yield found
    finally:
        process.kill()
        process.wait()
