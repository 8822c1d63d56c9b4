"""What stands before Prefect's server: names, origins, headers.

A page of another site can have a browser send requests here, and, where its own name suddenly means
this machine (DNS rebinding), read the answers, too. So requests have to be addressed to a name of
this server, and those that a page sends have to come from a page of this server. Prefect checks
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
_WRONG_HOST = "this server is not known by that name (ffn serve --allow-host NAME)"
_WRONG_ORIGIN = "a page of another origin may not send requests here"


def guarded(app: App, hosts: Collection[str] | None, *, pages: bool) -> App:
    """Return ``app`` behind the checks, with our headers in its answers.

    Parameters
    ----------
    hosts
        Names by which it may be addressed, without ports: a tunnel has another port. None: any.
    pages
        Whether it has pages, which may send requests to it.
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
            # Closed before it was accepted, it is answered with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            text = [(b"content-type", b"text/plain; charset=utf-8")]
            await add({"type": "http.response.start", "status": 403, "headers": text})
            await send({"type": "http.response.body", "body": f"{reason}\n".encode()})

    return answer


def _refusal(scope: Message, hosts: Collection[str] | None, *, pages: bool) -> str | None:
    """Return why a request is not answered, None if it is."""
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
