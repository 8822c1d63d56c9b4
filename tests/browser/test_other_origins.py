"""What a page of another origin can do in Chromium while ``ffn retrain`` runs: nothing."""

from __future__ import annotations

import http.server
import sqlite3
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Error, Page, sync_playwright

from tests.helpers.endless_run import Run, running
from tests.helpers.waiting import wait_for

CHROMIUM = "/usr/bin/chromium"
READ = "async url => (await fetch(url)).text()"
WRITE = """async ([url, mode]) => {
    const body = JSON.stringify({state: {type: 'COMPLETED', name: 'Completed'}, force: true});
    const answer = await fetch(url, {method: 'POST', mode, body});
    return answer.type + ' ' + answer.status;
}"""
SOCKET = """url => new Promise(done => {
    const wire = new WebSocket(url, ['prefect']);
    wire.onopen = () => done('open');
    wire.onerror = () => done('error');
})"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(tmp_path_factory.mktemp("origins")) as found:
        wait_for(lambda: flow_runs(found), 180)
        yield found


def flow_runs(run: Run) -> list[tuple[str, str]]:
    """Ids and states of the runs that have begun."""
    database = f"file:{run.home}/.prefect/prefect.db?mode=ro"
    with sqlite3.connect(database, uri=True) as found:
        select = "SELECT id, state_type FROM flow_run WHERE state_type <> 'PENDING'"
        return found.execute(select).fetchall()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """A page of another origin: of this machine, but of another port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def page(run: Run) -> Iterator[Page]:
    """In a browser for which evil.example means this machine, as after DNS rebinding."""
    rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--no-proxy-server", rebound]
        )
        yield browser.new_page()
        browser.close()


@pytest.fixture(params=["another port", "rebound"])
def hostile(request: pytest.FixtureRequest, page: Page, run: Run, elsewhere: str) -> Page:
    """The page of an attacker, and where it finds the server."""
    if request.param == "rebound":
        # Its own server is there no more; now the name leads to ours.
        page.goto(f"http://evil.example:{run.port}/api/health")
    else:
        page.goto(elsewhere)
        assert page.title() == "elsewhere"
    return page


def test_it_reads_nothing(hostile: Page, run: Run) -> None:
    where = f"http://{run.address}/api"
    for path in ("/health", "/admin/settings", "/csrf-token?client=x", "/openapi.json"):
        with pytest.raises(Error, match="Failed to fetch"):
            hostile.evaluate(READ, where + path)


def test_it_ends_no_run(hostile: Page, run: Run) -> None:
    ((identity, state),) = flow_runs(run)
    assert state == "RUNNING"
    url = f"http://{run.address}/api/flow_runs/{identity}/set_state"
    with pytest.raises(Error, match="Failed to fetch"):
        hostile.evaluate(WRITE, [url, "cors"])
    # That is sent, and the answer hidden from the page; our own refusal forbids even that.
    if "evil.example" in hostile.url:
        with pytest.raises(Error, match="Failed to fetch"):
            hostile.evaluate(WRITE, [url, "no-cors"])
    else:
        assert hostile.evaluate(WRITE, [url, "no-cors"]) == "opaque 0"
    assert flow_runs(run) == [(identity, "RUNNING")]
    assert run.process.poll() is None


def test_it_opens_no_socket(hostile: Page, run: Run) -> None:
    for path in ("/events/in", "/events/out", "/logs/out"):
        assert hostile.evaluate(SOCKET, f"ws://{run.address}/api{path}") == "error"


def test_by_its_own_name_it_reads_nothing(page: Page, run: Run) -> None:
    """After rebinding the server is of the page's own origin, and nothing hides the answer."""
    answer = page.goto(f"http://evil.example:{run.port}/api/health")
    assert answer is not None
    assert (answer.status, "not known by that name" in answer.text()) == (403, True)
    ((identity, _),) = flow_runs(run)
    assert page.evaluate(WRITE, [f"/api/flow_runs/{identity}/set_state", "cors"]) == "basic 403"
    assert "not known by that name" in page.evaluate(READ, "/api/admin/settings")
    assert flow_runs(run) == [(identity, "RUNNING")]
