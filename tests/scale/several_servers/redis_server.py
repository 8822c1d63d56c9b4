"""A Redis server of the tests' own: on the loopback, with a password, and nothing on the disk."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.waiting import wait_for

__all__ = ["PASSWORD", "free_port", "running_redis"]

PASSWORD = "words-of-redis"

_INSTALLING = Path(__file__).parent / "redis"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    """Say whether something takes connections there."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    """Run a server while the block runs, and yield its port."""
    found = subprocess.run([_INSTALLING], capture_output=True, text=True, check=True)
    port = free_port()
    # On standard input: the password is on no command line.
    settings = f'bind 127.0.0.1\nport {port}\nrequirepass "{PASSWORD}"\nsave ""\ndir "{folder}"\n'
    process = subprocess.Popen(
        [found.stdout.strip(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(settings)
        process.stdin.close()
        wait_for(lambda: answers(port), 60)
        yield port
    finally:
        process.kill()
        process.wait()
