"""A service whose runs are executed by Prefect's own workers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from tests.chaos.conftest import home, root
from tests.helpers.command_line import environment
from tests.helpers.service import Service, processes

__all__ = ["Worker", "home", "root", "working"]

POOL = "nightly"


class Worker:
    """``prefect worker start`` as a user types it, with the address and the password of a service.

    Attributes
    ----------
    log
        What it and its runs say.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.log = service.home / "worker.log"
        known = {
            "PREFECT_API_URL": f"{service.dashboard}/api",
            "PREFECT_API_AUTH_STRING": service.password,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL],
                env=environment(service.home, **known),
                cwd=service.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def runs(self) -> list[int]:
        """Processes of its runs."""
        found = processes(self._service.home).items()
        return [pid for pid, line in found if "pooled_run" in line]

    def kill(self, *, with_runs: bool = False) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if with_runs:
            for pid in self.runs():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def working(service: Service) -> Iterator[Worker]:
    worker = Worker(service)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.kill(with_runs=True)
