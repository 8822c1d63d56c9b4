"""Workers of a Ray cluster: an existing one, or one on this machine for the time of a run.

Ray sends functions and results as pickles, and every machine that takes part unpickles what it
receives, this one included. A cluster is therefore as trusted as this process. Ray's servers listen
on all interfaces of a machine; those of the cluster of a run ask for a token that was made for it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator

from ffn.clusters.pipe import receive, send
from ffn.clusters.workers import RemoteTask
from ffn.errors import ClusterError, one_line
from ffn.interpreter import fresh
from ffn.settings.service_settings import RunnerSettings, seconds_of
from ffn.storage.documents import canonical_json

__all__ = ["ray_workers"]

_MOMENT = 0.2
_CONNECT_SECONDS = 10.0
_SHUTDOWN_SECONDS = 20.0
_VARIABLES = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # How long a cluster may be gone before it is taken to be lost; by default a minute.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
}


@contextlib.contextmanager
def ray_workers(runner: RunnerSettings, left: str) -> Iterator[_RayWorkers]:
    """Connect to a Ray cluster, or start one on this machine for the time of the block.

    Parameters
    ----------
    runner
        Settings with the address, if there is one.
    left
        Sentence on what is left if the cluster is lost.

    Raises
    ------
    ClusterError
        There is no cluster, it has no workers in time, or they are unlike this process.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ffn-", ignore_cleanup_errors=True) as folder,
        _driven(runner, folder, left) as workers,
    ):
        yield workers


@contextlib.contextmanager
def _driven(runner: RunnerSettings, folder: str, left: str) -> Iterator[_RayWorkers]:
    """Start the driver; what a cluster of this machine writes goes to ``folder``."""
    address, token = runner.ray_address, {}
    if address is None:
        name = "the Ray cluster of this run"
        # In the environment of our own processes alone; Ray would keep one in a file for all.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    else:
        name = f"the Ray cluster at {address}"
        _require_answer(address, name)
    # Apart from the terminal, whose Ctrl-C this process answers.
    driver = subprocess.Popen(  # noqa: S603
        fresh("ffn.clusters.ray_driver"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**_VARIABLES, **os.environ, **token},
        cwd="/",
        start_new_session=True,
    )
    workers = _RayWorkers(name, driver, left)
    try:
        setup = {
            "address": address,
            "workers": runner.workers or os.cpu_count() or 1,
            "folder": folder,
            "patience": seconds_of(runner.wait),
        }
        workers.start(canonical_json(setup))
        yield workers
    finally:
        workers.close()


class _RayWorkers:
    """The workers behind a Ray driver, as `ffn.clusters.workers.Workers` describes them.

    Attributes
    ----------
    name
        What messages call the cluster.
    slots
        Number of the machines' processors, as it was a moment ago.
    """

    def __init__(self, name: str, driver: subprocess.Popen[bytes], left: str) -> None:
        self.name = name
        self.slots = 1
        self._left = left
        self._driver = driver
        self._lock = threading.Lock()
        self._sent: set[str] = set()
        self._answers: dict[bytes, bytes] = {}
        self._asked = 0
        self._problem: str | None = None
        self._changed = threading.Condition()
        self._ready = False

    def start(self, setup: bytes) -> None:
        """Connect as ``setup`` says, which is JSON for the driver, and wait until it is."""
        self._write({"setup": setup})
        threading.Thread(target=self._listen, daemon=True).start()
        with self._changed:
            while not self._ready:
                self._check()
                self._changed.wait(_MOMENT)

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        """Return what a worker computes.

        Parameters
        ----------
        task, check
            As for `ffn.clusters.workers.Workers`.
        """
        with self._lock:
            self._asked += 1
            number = str(self._asked).encode()
            frame = {
                "id": number,
                "function": f"{task.function.__module__}:{task.function.__qualname__}".encode(),
                "request": task.request,
                "key": task.key.encode(),
            }
            if task.key not in self._sent:
                frame["shared"] = task.shared()
                self._sent.add(task.key)
            self._write(frame)
        with self._changed:
            while number not in self._answers:
                check()
                self._check()
                self._changed.wait(_MOMENT)
            return self._answers.pop(number)

    def close(self) -> None:
        """End all waits, and let the driver end."""
        with self._changed:
            self._problem = self._problem or " was left."
        pipe = self._driver.stdin
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self._driver.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()

    def _write(self, frame: dict[str, bytes]) -> None:
        pipe = self._driver.stdin
        if pipe is not None:
            # A driver that is gone is told of by the thread that listens, with the reason.
            with contextlib.suppress(OSError, ValueError):
                send(pipe, frame)

    def _listen(self) -> None:
        """Take answers, until the driver ends."""
        pipe = self._driver.stdout
        while pipe is not None:
            try:
                frame = receive(pipe)
            except ValueError:
                frame = None
            with self._changed:
                if frame is None:
                    self._problem = self._problem or f" is gone. {self._left}"
                elif "refused" in frame:
                    self._problem = self._problem or frame["refused"].decode()
                elif "slots" in frame:
                    self.slots = int(frame["slots"])
                    self._ready = True
                else:
                    self._answers[frame["id"]] = frame["answer"]
                self._changed.notify_all()
            if frame is None:
                pipe.close()
                return

    def _check(self) -> None:
        if self._problem is not None:
            raise ClusterError(f"{self.name}{self._problem}")


def _require_answer(address: str, name: str) -> None:
    """Raise `ClusterError` if nothing listens; Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"{name}: nothing answers ({one_line(error)}). Start it, or correct the address."
        ) from None
