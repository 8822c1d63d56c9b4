"""The server's process under ``ffn serve``: ``python -m flows.server_process HOST PORT``.

Beside what Prefect's settings close, every answer forbids the page to load from, or to talk to, any
other place: Prefect's page reports to a service for analytics, whatever the server's settings say,
and a run's Markdown could name a picture that somebody else would see asked for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from prefect.server.api.server import create_app

__all__ = ["main"]

_SECONDS_TO_END = 5

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

# What draws the time line of a run compiles its shaders by eval; scripts are our own all the same.
_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        b"font-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        b"script-src 'self' 'unsafe-eval'; "
        b"worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def _closed(app: App) -> App:
    """Return ``app`` with our headers in its answers."""

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        await app(scope, receive, add)

    return answer


def _end_with_the_service() -> None:
    """End when the service does, however that ends: our input is a pipe that it holds."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    # Prefect's services may wait for one another; there is nobody left to wait for them.
    time.sleep(_SECONDS_TO_END)
    os._exit(0)


def main() -> None:
    """Serve until a signal, or until the service is gone."""
    host, port = sys.argv[1], int(sys.argv[2])
    app = create_app(final=True)
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    uvicorn.run(
        _closed(app),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
