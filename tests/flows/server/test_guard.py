"""Who may address a server, from where; and which server is here, so that no proxy leads to it."""

from __future__ import annotations

import asyncio
import os

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.server.guard import guarded
from flows.server.managed import Address
from flows.server.proxies import direct_to, is_here

OURS = Address(host="127.0.0.1", port=4200)
PROXIED = Address(host="127.0.0.1", port=4200, names=("Models.example",))
EVERYWHERE = Address(host="0.0.0.0", port=4200)


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def answer(address, headers):
    async def ask():
        guard = guarded(app, address.hosts or None, pages=True)
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/", headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "host", "origin"),
    [
        (OURS, "127.0.0.1:4200", None),
        (OURS, "127.0.0.1:4200", "http://127.0.0.1:4200"),
        (OURS, "localhost:4200", "http://localhost:4200"),
        (OURS, "[::1]:4200", "http://[::1]:4200"),
        # Through a tunnel, which has a port of its own.
        (OURS, "localhost:8080", "http://localhost:8080"),
        # Through a proxy with TLS that passes the name on.
        (PROXIED, "models.example", "https://models.example"),
        (PROXIED, "MODELS.example:443", None),
        (PROXIED, "127.0.0.1:4200", None),
        (EVERYWHERE, "box.lan:4200", "http://box.lan:4200"),
    ],
)
def test_it_answers_to_its_names_and_pages(address, host, origin):
    given = answer(address, {"Host": host} | ({"Origin": origin} if origin else {}))
    assert (given.status_code, given.text) == (200, "in")
    assert "frame-ancestors 'none'" in given.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("address", "host", "origin"),
    [
        (OURS, "evil.example:4200", None),
        (OURS, "127.0.0.1.evil.example", None),
        (OURS, "localhost@evil.example", None),
        (OURS, "", None),
        (OURS, "[::1", None),
        # A page of another service of this machine.
        (OURS, "127.0.0.1:4200", "http://127.0.0.1:8888"),
        (OURS, "127.0.0.1:4200", "http://localhost:4200"),
        (OURS, "127.0.0.1:4200", "null"),
        (OURS, "127.0.0.1:4200", "http://evil.example"),
        (PROXIED, "evil.example", "https://evil.example"),
        (PROXIED, "models.example.evil", None),
        (EVERYWHERE, "box.lan:4200", "http://evil.example"),
    ],
)
def test_it_answers_to_no_other_name_and_no_other_page(address, host, origin):
    given = answer(address, {"Host": host} | ({"Origin": origin} if origin else {}))
    assert given.status_code == 403
    assert "in" not in given.text.split()


NAMES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://127.1.2.3:4200/api", True),
        ("http://localhost:4200/api", True),
        ("http://[::1]:4200/api", True),
        ("https://prefect.example/api", False),
        ("http://127.0.0.1.example/api", False),
        ("http://192.168.1.5:4200/api", False),
    ],
)
def test_loopback_is_here(url, here):
    assert is_here(url) is here


@pytest.mark.parametrize("name", NAMES)
def test_a_server_elsewhere_is_reached_through_the_proxy_as_ever(monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with direct_to("https://prefect.example/api"):
        assert os.environ[name] == "http://127.0.0.1:9"
    with direct_to("https://prefect.example/api", own=True):
        assert name not in os.environ
    assert os.environ[name] == "http://127.0.0.1:9"


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
@pytest.mark.parametrize("name", NAMES)
def test_no_proxy_is_in_the_way_to_a_server_here(ffn, server, trained, monkeypatch, name, proxy):
    """Port 9 takes nothing, and for SOCKS a package is missing: either would fail the run."""
    monkeypatch.setenv(name, proxy)
    with temporary_settings({PREFECT_API_URL: server}):
        done = ffn("score", "iris", "--root", trained)
    assert (done.code, done.err) == (0, "")
    assert os.environ[name] == proxy


@pytest.mark.parametrize(
    ("proxy", "reason"), [("http://127.0.0.1:9", "Failed to reach API"), ("socks5://x", "socksio")]
)
def test_a_proxy_that_fails_a_server_elsewhere_is_told_in_one_line(
    ffn, trained, monkeypatch, proxy, reason
):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with temporary_settings({PREFECT_API_URL: "http://prefect.example/api"}):
        done = ffn("score", "iris", "--root", trained)
    assert f"http://prefect.example/api cannot be used ({reason}" in done.refusal.replace(
        "Using SOCKS proxy, but the '", ""
    )
