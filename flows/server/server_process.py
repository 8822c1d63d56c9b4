"""Prefect's server in its own process.

::

    flows.server.server_process service ROOT HOST PORT [NAME ...]    the server of ffn serve
    flows.server.server_process run SOCKET                           the server of one command

ROOT is the folder with the pipelines, of which the server of a service has a page of its own. NAME
is a host name by which the server may be addressed. SOCKET is the descriptor of an inherited socket
that is already bound.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from flows.server.database_check import check_database, telling_refusals
from flows.server.guard import guarded
from flows.server.prefect_database import prefect_database

__all__ = ["main"]

_SECONDS_TO_END = 5


def _end_with_the_parent() -> None:
    """Exit when the parent ends for any reason, which closes the pipe on standard input."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    # Prefect's services may wait for each other; nothing waits for them any more.
    time.sleep(_SECONDS_TO_END)
    os._exit(0)


def main() -> None:
    """Serve until a signal, or until the parent has ended."""
    with telling_refusals():
        asyncio.run(check_database(prefect_database()))
    from prefect.server.api.server import create_app

    kind, *where = sys.argv[1:]
    app = create_app(ephemeral=kind == "run", final=True)
    # The server of a command is started with signals blocked.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if kind == "run":
        sockets = [socket.socket(fileno=int(where[0]))]
        config = uvicorn.Config(guarded(app, {"127.0.0.1"}, pages=False), log_level="error")
    else:
        sockets = None
        from flows.server.dashboard_link import with_link
        from flows.server.overview_app import HERE, with_overview

        root, host, port, *names = where
        key = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
        pages = with_overview(with_link(app, HERE), Path(root), key)
        guard = guarded(pages, names or None, pages=True)
        config = uvicorn.Config(guard, host=host, port=int(port), log_level="warning")
    config.server_header = False
    config.timeout_graceful_shutdown = 1
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
