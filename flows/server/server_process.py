"""Prefect's server in its own process.

::

    flows.server.server_process service HOST PORT [NAME ...]    the server of ffn serve
    flows.server.server_process run SOCKET                      the server of one command

NAME is a host name by which the server may be addressed. SOCKET is the descriptor of an inherited
socket that is already bound.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

import uvicorn

from flows.server.guard import guarded

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
        host, port, *names = where
        guard = guarded(app, names or None, pages=True)
        config = uvicorn.Config(guard, host=host, port=int(port), log_level="warning")
    config.server_header = False
    config.timeout_graceful_shutdown = 1
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
