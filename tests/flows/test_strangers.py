"""Other processes and pages of other origins get nothing of the server that one run has."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import stat
import uuid
from pathlib import Path

import httpx
import pytest
import websockets
from prefect.server.api.server import create_api_app

from tests.helpers.endless_run import running
from tests.helpers.service import processes
from tests.helpers.waiting import LAST_RESORT, wait_for

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with running(tmp_path_factory.mktemp("strangers")) as found:
        yield found


def routes():
    """Every route of Prefect's API, with a method, as Prefect describes them."""
    for path, methods in create_api_app().openapi()["paths"].items():
        for method in methods:
            yield method.upper(), re.sub(r"{\w+}", str(uuid.UUID(int=0)), path)


def test_no_route_answers_without_the_key(run):
    asked = set(routes())
    assert {
        ("POST", f"/flow_runs/{uuid.UUID(int=0)}/set_state"),
        ("GET", "/admin/settings"),
    } < asked
    assert len(asked) > 150
    with httpx.Client(trust_env=False, timeout=LAST_RESORT) as client:
        answered = {
            (method, path)
            for method, path in asked
            if client.request(method, f"http://{run.address}/api{path}").status_code
            not in {401, 403}
        }
    # That a server lives is all they tell.
    assert answered == {("GET", "/health"), ("GET", "/ready")}


def test_a_wrong_key_gets_nothing(run):
    wrong = base64.b64encode(f"{run.key}x".encode()).decode()
    assert run.ask("GET", "/admin/version", {"Authorization": f"Basic {wrong}"}).status_code == 401


def test_the_key_alone_reads_and_changes_nothing(run):
    assert run.ask("GET", "/admin/version", run.with_key).status_code == 200
    asked = run.ask("POST", "/flow_runs/filter", run.with_key, json={})
    assert (asked.status_code, asked.json()["detail"]) == (403, "Missing CSRF token.")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost"},
        {"Host": "evil.example", "Origin": EVIL},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/admin/version", "/health", "/csrf-token?client=x"])
def test_pages_get_nothing_even_with_the_key(run, path, headers):
    """Another origin, or a name that was made to mean this machine."""
    answer = run.ask("GET", path, run.with_key | headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_pages_of_its_own_address_get_nothing_either(run):
    """It has none."""
    headers = run.with_key | {"Origin": f"http://{run.address}"}
    assert run.ask("GET", "/admin/version", headers).status_code == 403


def test_a_browser_is_not_told_that_it_may_ask(run):
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    answer = run.ask("OPTIONS", "/flow_runs/filter", asked)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("hosts", [0, 2])
def test_a_request_to_no_name_or_to_two_is_refused(run, hosts):
    with socket.create_connection(("127.0.0.1", run.port), LAST_RESORT) as wire:
        host = f"Host: {run.address}\r\n" * hosts
        wire.sendall(f"GET /api/health HTTP/1.0\r\n{host}\r\n".encode())
        assert re.match(rb"HTTP/1\.\d (400|403) ", wire.recv(1000))


def hears(run, path, name="127.0.0.1", origin=None):
    """Return what a socket is told that sends a wrong key."""

    async def ask():
        url = f"ws://{name}:{run.port}/api{path}"
        there = {"proxy": None, "host": "127.0.0.1", "port": run.port}
        there |= {"origin": origin, "open_timeout": LAST_RESORT}
        async with websockets.connect(url, subprotocols=["prefect"], **there) as wire:
            await wire.send('{"type": "auth", "token": "ffn:wrong"}')
            return await wire.recv()

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out"])
def test_web_sockets_are_closed_to_strangers(run, path):
    with pytest.raises(websockets.ConnectionClosedError, match="Invalid token"):
        hears(run, path)
    for refused in ({"origin": EVIL}, {"name": "evil.example"}):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            hears(run, path, **refused)


def test_the_key_is_where_its_owner_alone_can_read_it(run):
    assert re.fullmatch(r"ffn:[\w-]{43}", run.key)
    for pid, line in processes(run.home).items():
        assert run.key not in line
        assert stat.S_IMODE(Path(f"/proc/{pid}/environ").stat().st_mode) == 0o400
    word = run.key.encode()
    files = [path for path in run.home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if word in path.read_bytes()]


def test_the_server_ends_with_a_run_that_is_killed(run):
    assert run.process.poll() is None
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not processes(run.home))
