"""Whether a server of Prefect answers, as asked several times a second while it starts."""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

__all__ = ["answers"]

_SECONDS = 5.0


def answers(api: str) -> bool:
    """Return whether the server at ``api`` says that it is ready for requests.

    It is asked with the standard library: each new client of httpx reads all certificates of the
    machine first, for 20 ms, and takes them from the server that starts.

    Parameters
    ----------
    api
        URL of the API of a server on this machine, which begins with ``http://``.
    """
    place = urlsplit(api)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"{place.path}/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
