"""Wall time of whole retrainings, interpreter and imports included: alone and through Prefect."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Commands", "time_retraining"]

Array = npt.NDArray[Any]

_SECONDS_TO_START = 120


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Wall seconds of ``ffn retrain iris``.

    Attributes
    ----------
    direct
        With ``--direct``, [pairs].
    server
        Through a Prefect server that was running already, [pairs], each beside one ``direct``.
    own_server
        With a server started for the run and stopped after it, [runs].
    """

    direct: Array
    server: Array
    own_server: Array

    @property
    def cost_of_prefect(self) -> Array:
        """What a running server adds [pairs]."""
        added: Array = self.server - self.direct
        return added

    def named(self) -> list[tuple[str, Array]]:
        """Return the command of each array."""
        return [
            ("`ffn retrain iris --direct`", self.direct),
            ("`ffn retrain iris`, server running", self.server),
            ("`ffn retrain iris`, server of its own", self.own_server),
        ]


def time_retraining(root: Path, *, pairs: int, own_server: int) -> Commands:
    """Time the retraining of Iris in a copy of ``root/data``; one run of each does not count."""
    with tempfile.TemporaryDirectory(prefix="ffn-benchmark-") as temporary:
        folder = Path(temporary)
        shutil.copytree(root / "data", folder / "data")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "FFN"))}
        environment = kept | {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        run = _Retraining(root=root, folder=folder, environment=environment)
        direct, server = [], []
        with _running_server(environment) as url:
            connected = {"PREFECT_API_URL": url}
            run.seconds("--direct")
            run.seconds(**connected)
            for _ in range(pairs):
                direct.append(run.seconds("--direct"))
                server.append(run.seconds(**connected))
        alone = [run.seconds() for _ in range(own_server)]
    return Commands(direct=np.array(direct), server=np.array(server), own_server=np.array(alone))


@dataclass(frozen=True, kw_only=True)
class _Retraining:
    root: Path
    folder: Path
    environment: Mapping[str, str]

    def seconds(self, *options: str, **variables: str) -> float:
        # Without --force a second retraining would find nothing changed, and do nothing.
        root = ["--root", str(self.folder)]
        command = [sys.executable, "-m", "flows", "retrain", "iris", "--force", *root]
        started = time.perf_counter()
        subprocess.run(  # noqa: S603
            [*command, *options],
            cwd=self.root,
            env={**self.environment, **variables},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - started


@contextlib.contextmanager
def _running_server(environment: Mapping[str, str]) -> Iterator[str]:
    """Run ``prefect server start`` on a free port while the block runs; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, *command],
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_healthy(server, url)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health"):  # noqa: S310
            return
        time.sleep(0.2)
    raise RuntimeError("the Prefect server for the benchmark does not answer")
