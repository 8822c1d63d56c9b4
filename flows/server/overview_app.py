"""The page of all pipelines, in front of Prefect's application and behind the same key.

::

    /overview                              the page; without a session, the form to sign in
    /overview/sign-in                      takes the key, and begins a session
    /overview/sign-in.js                   signs in with the key that Prefect's pages keep
    /overview/<pipeline>/<version>/report  the report of a version; .../card, its model card

A session is a cookie with its end, signed with the key: it says nothing else, is sent only to these
addresses and from pages of this server, and ends when the key is replaced. It opens these pages
alone; Prefect's API wants the key.
"""

from __future__ import annotations

import datetime
import hmac
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ffn.errors import FFNError
from ffn.reports.at_a_glance.pipelines_page import glance_at, pipelines_page
from ffn.reports.at_a_glance.version_pages import KINDS, read_page
from ffn.settings.pipeline import find_pipeline, pipeline_names
from flows.server.guard import App, Message

__all__ = ["HERE", "with_overview"]

HERE = "/overview"
"""Path of the page on the server."""

_COOKIE = "ffn-overview"
_DAYS = 30
_MOST_BYTES = 4096
# Of a version, as a path names it: no more digits than a version can have.
_MOST_DIGITS = 9

_SIGN_IN = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto;
  padding: 0 1rem; }
input, button { font: inherit; width: 100%; padding: .5rem; margin: .3rem 0;
  box-sizing: border-box; }
</style>
<script src="/overview/sign-in.js" defer></script>
</head>
<body>
<h1>Pipelines</h1>
<p role="status">MESSAGE</p>
<form method="post" action="/overview/sign-in">
<label for="key">The line in artifacts/.serve/auth, NAME:PASSWORD</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
</form>
</body>
</html>
"""
# Prefect's pages keep the key under this name: who has signed in there need not do it here again,
# and the other way round.
_SCRIPT = """\
const KEPT = "prefect-password";
const form = document.querySelector("form");
async function signIn(key) {
  const body = new URLSearchParams({key});
  const answer = await fetch("/overview/sign-in", {method: "POST", body, redirect: "manual"});
  return answer.type === "opaqueredirect" || answer.ok;
}
async function enter(key) {
  if (!await signIn(key)) return false;
  localStorage.setItem(KEPT, btoa(key));
  location.replace("/overview");
  return true;
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!await enter(form.key.value)) {
    document.querySelector("[role=status]").textContent = "That is not the key.";
  }
});
const kept = localStorage.getItem(KEPT);
if (kept) {
  try { enter(atob(kept)).catch(() => {}); } catch { /* not ours: the form stays */ }
}
"""

Endpoint = Callable[[Request], Awaitable[Response]]


def with_overview(app: App, root: Path, key: str | None) -> App:
    """Return an application that answers under `HERE` itself, and lets ``app`` answer the rest.

    Parameters
    ----------
    app
        Prefect's application.
    root
        The folder with ``data/`` and ``artifacts/``.
    key
        The key, NAME:PASSWORD, without which nothing is shown; None: everybody may look.
    """
    own = _application(root, key)

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path == HERE or path.startswith(f"{HERE}/"))
        await (own if ours else app)(scope, receive, send)

    return answer


def _application(root: Path, key: str | None) -> Starlette:
    def closed(endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            if key is None or _holds(request.cookies.get(_COOKIE, ""), key):
                return await endpoint(request)
            return _form("")

        return checked

    async def overview(_: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(_page, root), headers=_PRIVATE)

    async def version_page(request: Request) -> Response:
        name, version, kind = (request.path_params[part] for part in ("name", "version", "kind"))
        try:
            text = await run_in_threadpool(_version_page, root, name, version, kind)
        except FFNError as error:
            return PlainTextResponse(f"{error}\n", 404, headers=_PRIVATE)
        return HTMLResponse(text, headers=_PRIVATE)

    async def sign_in(request: Request) -> Response:
        given = await _key_in(request)
        if key is not None and not hmac.compare_digest(given.encode(), key.encode()):
            return _form("That is not the key.", 401)
        response = RedirectResponse(HERE, 303, headers=_PRIVATE)
        if key is not None:
            seconds = _DAYS * 86_400
            session = _session(int(time.time()) + seconds, key)
            response.set_cookie(
                _COOKIE, session, max_age=seconds, path=HERE, httponly=True, samesite="strict"
            )
        return response

    async def script(_: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript")

    return Starlette(
        routes=[
            Route(HERE, closed(overview)),
            Route(f"{HERE}/sign-in", sign_in, methods=["POST"]),
            Route(f"{HERE}/sign-in.js", script),
            Route(f"{HERE}/{{name}}/{{version}}/{{kind}}", closed(version_page)),
        ]
    )


_PRIVATE = {"cache-control": "no-store"}


def _form(message: str, code: int = 200) -> Response:
    return HTMLResponse(_SIGN_IN.replace("MESSAGE", message), code, headers=_PRIVATE)


def _page(root: Path) -> str:
    at = datetime.datetime.now(datetime.UTC)
    return pipelines_page(glance_at(root), at, here=HERE, dashboard="")


def _version_page(root: Path, name: str, version: str, kind: str) -> str:
    digits = version.isascii() and version.isdecimal() and len(version) <= _MOST_DIGITS
    # Only names that are there: a path made of anything else could leave the folder.
    if name not in pipeline_names(root) or not digits or kind not in KINDS:
        raise FFNError("there is no such page. See /overview.")
    return read_page(find_pipeline(name, root).artifacts, int(version), kind)


async def _key_in(request: Request) -> str:
    """Return the key that a form holds; empty if it is too long, or there is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0].strip()


def _session(until: int, key: str) -> str:
    signature = hmac.new(key.encode(), f"{_COOKIE} {until}".encode(), "sha256").hexdigest()
    return f"{until}.{signature}"


def _holds(session: str, key: str) -> bool:
    """Return whether a session was signed with the key and has not ended."""
    until = session.partition(".")[0]
    if not (until.isascii() and until.isdecimal() and len(until) <= 12):
        return False
    if not hmac.compare_digest(
        session.encode("utf-8", "replace"), _session(int(until), key).encode()
    ):
        return False
    return int(until) > time.time()
