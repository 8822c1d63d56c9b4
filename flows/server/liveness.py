"""Wait for a server of Prefect that starts, which is asked several times a second."""

from __future__ import annotations

import subprocess
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

__all__ = ["comes_up"]

# A first start, which creates the database, computes for 8 to 20 s, which a busy machine makes
# minutes. A server that cannot start ends, and is not waited for.
_STARTUP_SECONDS = 300.0
_PAUSE = 0.1
_ANSWER_SECONDS = 5.0


def comes_up(process: subprocess.Popen[bytes], api: str) -> bool:
    """Wait until a server is ready for requests; return False if it ends before, or hangs.

    Parameters
    ----------
    process
        The server that starts.
    api
        URL of its API on this machine, which begins with ``http://``.
    """
    deadline = time.monotonic() + _STARTUP_SECONDS
    while not _answers(api):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _answers(api: str) -> bool:
    """Return whether the server at ``api`` says that it is ready for requests.

    It is asked with the standard library: each new client of httpx reads all certificates of the
    machine first, for 20 ms, and takes them from the server that starts.
    """
    place = urlsplit(api)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", f"{place.path}/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
