"""A Prefect server as a user starts one, in a folder and on a port of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.helpers.waiting import wait_for


@contextlib.contextmanager
def running_server(home: Path) -> Iterator[str]:
    """Run a server with its schedules and other services while the block runs; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    own = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # Twice this long a schedule's runs may take to appear.
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
    }
    log = home / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--port", str(port)],
            env=os.environ | own,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(server, url, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    def answers() -> bool:
        assert server.poll() is None, log.read_text()[-2000:]
        # One client for all looks: each reads all certificates of the machine.
        with contextlib.suppress(httpx.TransportError):
            return client.get(f"{url}/health").status_code == 200
        return False

    with httpx.Client(trust_env=False) as client:
        wait_for(answers)
