"""The page of all pipelines on the server: behind the key, and nothing else changed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from flows.server.dashboard_link import with_link
from flows.server.guard import guarded
from flows.server.overview_app import with_overview

KEY = "ffn:a-long-key"
BODY = b"<html><body><div id=app></div></body></html>"


async def prefect(scope, receive, send):
    """Answer as Prefect does: pages as HTML, compressed if asked, the API as JSON."""
    headers = dict(scope["headers"])
    api = scope["path"].startswith("/api")
    kind = b"application/json" if api else b"text/html; charset=utf-8"
    found = [(b"content-type", kind), (b"content-length", str(len(BODY)).encode())]
    if b"gzip" in headers.get(b"accept-encoding", b""):
        found.append((b"x-compressed", b"1"))
    await send({"type": "http.response.start", "status": 200, "headers": found})
    await send({"type": "http.response.body", "body": BODY[:20], "more_body": True})
    await send({"type": "http.response.body", "body": BODY[20:]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data/loans"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text('[data]\nsource = "t.csv"\ntarget = "y"\n')
    report = tmp_path / "artifacts/loans/reports/0003/report.html"
    report.parent.mkdir(parents=True)
    report.write_text("<p>how it was</p>")
    return tmp_path


class Browser:
    """Sends requests to the application, and keeps its cookies."""

    def __init__(self, root: Path, key: str | None = KEY) -> None:
        pages = with_overview(with_link(prefect, "/overview"), root, key)
        self._app = guarded(pages, ["127.0.0.1"], pages=True)
        self.cookies: dict[str, str] = {}

    def __call__(self, method: str, path: str, **options) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            address = "http://127.0.0.1:4200"
            async with httpx.AsyncClient(
                transport=transport, base_url=address, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = dict(client.cookies)
                return answer

        return asyncio.run(ask())

    def sign_in(self, key: str = KEY) -> httpx.Response:
        return self("POST", "/overview/sign-in", data={"key": key})


def test_without_the_key_there_is_only_the_form(root):
    browser = Browser(root)
    for path in ("/overview", "/overview/loans/3/report", "/overview/loans/3/card"):
        answer = browser("GET", path)
        assert answer.status_code == 200
        assert 'type="password"' in answer.text
        assert "loans" not in answer.text.replace(path, "")
        assert "how it was" not in answer.text
    assert (
        browser("GET", "/overview/sign-in.js").headers["content-type"].startswith("text/javascript")
    )


@pytest.mark.parametrize("key", ["ffn:wrong", "", "ffn:a-long-kex", KEY[:-1], "ä", "x" * 10_000])
def test_a_wrong_key_opens_nothing(root, key):
    browser = Browser(root)
    answer = browser.sign_in(key)
    assert answer.status_code == 401
    assert "That is not the key." in answer.text
    assert browser.cookies == {}


def test_the_key_opens_the_pages(root):
    browser = Browser(root)
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/overview")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/overview" in cookie
    assert KEY not in cookie
    answer = browser("GET", "/overview")
    assert "loans" in answer.text
    assert "nothing is trained yet" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert browser("GET", "/overview/loans/3/report").text == "<p>how it was</p>"


@pytest.mark.parametrize(
    "path",
    [
        "/overview/loans/4/report",
        "/overview/loans/3/card",
        "/overview/loans/3/secret",
        "/overview/..%2f..%2fetc/3/report",
        "/overview/../3/report",
        "/overview/loans/..%2f3/report",
        "/overview/loans/-3/report",
        "/overview/loans/%C2%B3/report",
        "/overview/loans/99999999999999999999/report",
        "/overview/loans%00/3/report",
        "/overview/other/3/report",
        "/overview/loans/3/report/more",
    ],
)
def test_other_addresses_are_not_found(root, path):
    browser = Browser(root)
    browser.sign_in()
    answer = browser("GET", path)
    # A path with dots is resolved by the client, and is then one of Prefect's.
    assert answer.status_code == 404 or answer.content.startswith(b"<html><body><div id=app>")
    assert "how it was" not in answer.text


@pytest.mark.parametrize("change", ["later", "forged", "rubbish", "old", "other key"])
def test_only_a_session_that_was_begun_here_counts(root, change):
    browser = Browser(root)
    browser.sign_in()
    session = browser.cookies["ffn-overview"].strip('"')
    until, signature = session.split(".")
    other = Browser(root, key="ffn:another")
    other.sign_in("ffn:another")
    browser.cookies = {
        "ffn-overview": {
            "later": f"{int(until) + 1}.{signature}",
            "forged": f"{until}.{'0' * 64}",
            "rubbish": "1e9.x",
            "old": f"{int(time.time()) - 1}.{signature}",
            "other key": other.cookies["ffn-overview"].strip('"'),
        }[change]
    }
    assert 'type="password"' in browser("GET", "/overview").text


def test_pages_of_other_origins_cannot_sign_in(root):
    browser = Browser(root)
    answer = browser(
        "POST", "/overview/sign-in", data={"key": KEY}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert browser.cookies == {}


def test_without_authentication_everybody_may_look(root):
    assert "loans" in Browser(root, key=None)("GET", "/overview").text


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_pages_of_prefect_have_a_link_to_the_overview(root, encoding):
    headers = {"Accept": "text/html,*/*", "Accept-Encoding": encoding}
    answer = Browser(root)("GET", "/dashboard", headers=headers)
    assert answer.text.startswith('<html><body><div id=app></div><a href="/overview" ')
    assert answer.text.endswith("All pipelines</a></body></html>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "x-compressed" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/api/health", "text/html"),
        ("GET", "/dashboard", "application/json"),
        ("POST", "/dashboard", "text/html"),
        ("GET", "/overviewer", "*/*"),
    ],
)
def test_all_other_answers_pass_as_they_are(root, method, path, accept):
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    answer = Browser(root)(method, path, headers=headers)
    assert answer.content == BODY
    assert answer.headers["x-compressed"] == "1"
