"""Clusters of this machine: a Dask scheduler or a Ray head, and two workers of one thread each."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["WORKERS", "Cluster", "dask_cluster", "is_apart", "ray_cluster"]

WORKERS = 2
_PATIENCE = 60.0
# As docs/scale.md advises.
_ADVISED = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}
_PROGRAMS = Path(sys.executable).parent


class Cluster(NamedTuple):
    """A cluster that runs.

    Attributes
    ----------
    options
        By which a command uses it.
    has
        Says of a process below this one, by its id, whether it is one of the cluster's.
    """

    options: tuple[str, ...]
    has: Callable[[int], bool]


def is_apart() -> bool:
    """Say whether this process is in a network that has nothing but the loopback.

    Ray listens on all interfaces, whatever it is told.
    """
    return [name for _, name in socket.if_nameindex()] == ["lo"]


@contextlib.contextmanager
def dask_cluster(folder: Path, root: Path, *, hidden: Path | None = None) -> Iterator[Cluster]:
    """Run a scheduler and workers while the block runs.

    Parameters
    ----------
    folder
        Where they write.
    root
        Folder of the packages.
    hidden
        A folder that the workers do not see; by default they see all.
    """
    port = _free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = str(_PROGRAMS / "dask")
    pids: set[int] = set()
    with contextlib.ExitStack() as stack:

        def start(*command: str) -> None:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env={**os.environ, **_ADVISED, "PYTHONPATH": str(root)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            pids.add(process.pid)
            stack.callback(_end, process)

        start(dask, "scheduler", "--host", "tcp://127.0.0.1", "--port", str(port), "--no-dashboard")
        _wait_for(port)
        own = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "tcp://127.0.0.1")
        worker = (dask, "worker", address, *own, "--local-directory", str(folder))
        hide = f'mount -t tmpfs none "{hidden}" && exec "$0" "$@"'
        apart = ("unshare", "--mount", "bash", "-c", hide) if hidden else ()
        for _ in range(WORKERS):
            start(*apart, *worker)
        yield Cluster(("--dask-address", address), pids.__contains__)


@contextlib.contextmanager
def ray_cluster(root: Path) -> Iterator[Cluster]:
    """Run a machine of Ray's while the block runs; no other cluster may run meanwhile.

    All that is below this process and below no command is taken for Ray's.

    Parameters
    ----------
    root
        Folder of the packages.
    """
    port = _free_port()
    own = ("--head", "--node-ip-address=127.0.0.1", f"--port={port}", f"--num-cpus={WORKERS}")
    quiet = ("--include-dashboard=false", "--disable-usage-stats")
    # Ray makes sockets there, and their paths have to be short.
    with tempfile.TemporaryDirectory(prefix="ffn-", dir="/tmp") as folder:
        environment = {**os.environ, "PYTHONPATH": str(root), "RAY_TMPDIR": folder}
        before = _of_ray()
        subprocess.run(  # noqa: S603
            [str(_PROGRAMS / "ray"), "start", *own, *quiet],
            env=environment,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Cluster(("--ray-address", f"127.0.0.1:{port}"), lambda _: True)
        finally:
            for pid in _of_ray() - before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _of_ray() -> set[int]:
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = Path(entry.path, "cmdline").read_bytes()
                if b"/ray/" in words or words.startswith(b"ray::"):
                    found.add(int(entry.name))
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _end(process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    process.kill()
    process.wait(patience)
