"""A link to the page of all pipelines on every page of Prefect's dashboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from flows.server.guard import App, Message

__all__ = ["with_link"]

_LINK = (
    '<a href="{here}" style="position:fixed;right:1rem;bottom:1rem;z-index:1000;'
    "padding:.4rem .8rem;"
    "border-radius:6px;background:#1f4f8f;color:#fff;font:14px/1.4 system-ui,sans-serif;"
    'text-decoration:none">All pipelines</a>'
)
_END = b"</body>"
# The page has to arrive whole and as it is, to take in the link.
_LEFT_OUT = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}


def with_link(app: App, here: str) -> App:
    """Return ``app`` with a link at the end of each HTML page that a browser navigates to.

    Prefect's dashboard is one HTML file, which its scripts fill; the link is beside what they fill.
    Other answers pass as they are.

    Parameters
    ----------
    app
        Prefect's application.
    here
        Address to link to.
    """
    link = _LINK.format(here=here).encode()

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if not _is_navigation(scope):
            await app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] not in _LEFT_OUT]
        page = _Page(send, link)
        await app({**scope, "headers": headers}, receive, page.take)

    return answer


def _is_navigation(scope: Message) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith("/api/"):
        return False
    accepted = [value for key, value in scope["headers"] if key == b"accept"]
    return any(b"text/html" in value for value in accepted)


class _Page:
    """Holds an HTML answer back until it is whole; lets any other pass."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], link: bytes) -> None:
        self._send = send
        self._link = link
        self._start: Message | None = None
        self._body = b""

    async def take(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_whole(self._start)
        else:
            await self._send(message)

    async def _send_whole(self, start: Message) -> None:
        before, end, after = self._body.rpartition(_END)
        body = before + self._link + end + after if end else self._body
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kinds = [value for key, value in start.get("headers", ()) if key.lower() == b"content-type"]
    return start["status"] == 200 and any(value.startswith(b"text/html") for value in kinds)
