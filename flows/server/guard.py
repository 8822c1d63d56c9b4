"""Checks of host name and origin, and security headers, in front of Prefect's server.

A page of another site can make a browser send requests here. If the name of that site resolves to
this machine (DNS rebinding), it can also read the answers. Therefore requests must be addressed to
a name of this server, and requests from a page must come from a page of this server. Prefect checks
neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["guarded"]

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

# The time line of a run compiles shaders with eval; scripts still come only from this server.
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
_WRONG_HOST = "this server is not known by that name (ffn serve --allow-host NAME)"
_WRONG_ORIGIN = "a page of another origin may not send requests here"


def guarded(app: App, hosts: Collection[str] | None, *, pages: bool) -> App:
    """Return ``app`` with the checks before it and the security headers in its responses.

    Parameters
    ----------
    app
        An ASGI application.
    hosts
        Allowed host names, without ports, since a tunnel has another port. None: any.
    pages
        Whether the application has pages, which may send requests to it.
    """

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        reason = _refusal(scope, hosts, pages=pages)
        if reason is None:
            await app(scope, receive, add)
        elif scope["type"] == "websocket":
            # A web socket that is closed before it is accepted is answered with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            text = [(b"content-type", b"text/plain; charset=utf-8")]
            await add({"type": "http.response.start", "status": 403, "headers": text})
            await send({"type": "http.response.body", "body": f"{reason}\n".encode()})

    return answer


def _refusal(scope: Message, hosts: Collection[str] | None, *, pages: bool) -> str | None:
    """Return why a request is refused; None if it is allowed."""
    if scope["type"] not in {"http", "websocket"}:
        return None
    addressed, origins = _values(scope, b"host"), _values(scope, b"origin")
    if len(addressed) != 1 or not _known(addressed[0], hosts):
        return _WRONG_HOST
    if not origins:
        return None
    own = len(origins) == 1 and pages and urlsplit(origins[0]).netloc == addressed[0]
    return None if own else _WRONG_ORIGIN


def _known(host: str, hosts: Collection[str] | None) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return bool(name) and (hosts is None or name in hosts)


def _values(scope: Message, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]
