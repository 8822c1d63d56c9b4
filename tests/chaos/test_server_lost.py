"""A server that goes away: for half a minute, or for good while files are scored."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from command_line import command, environment, run_apart
from conftest import change_data, epochs
from service import free_port, processes, serving, wait_for
from test_killed import begun

ROWS = 2_000_000


class OwnServer:
    """A server of the user's own, which survives the service."""

    def __init__(self, home):
        self._home, self._port = home, free_port()
        self.api = f"http://127.0.0.1:{self._port}/api"

    def start(self):
        options = ("--no-ui", "--port", str(self._port))
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "prefect", "server", "start", *options],
                env=environment(self._home, PREFECT_SERVER_ANALYTICS_ENABLED="false"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def answers(self):
        try:
            return httpx.get(f"{self.api}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def kill(self):
        """Kill it with what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def own_server(home):
    server = OwnServer(home)
    server.start()
    yield server
    server.kill()


def test_a_service_goes_on_with_a_server_that_was_away_for_half_a_minute(root, home, own_server):
    epochs(root, 30_000)
    wait_for(own_server.answers, 120, "the server does not answer")
    with serving(root, home, PREFECT_API_URL=own_server.api) as service:
        (root / "artifacts/.serve/prefect.db").symlink_to(home / ".prefect/prefect.db")
        begun(service)
        own_server.kill()
        time.sleep(30)
        own_server.start()
        wait_for(lambda: service.production() == 1, 240, service.said)
        wait_for(lambda: ("retrain-iris-v0001", "Completed") in service.states(), 90)
        tasks = service.rows("SELECT name, state_type FROM task_run WHERE name NOT LIKE 'score%'")
        assert {state for _, state in tasks} == {"COMPLETED"}
        # It starts runs as before.
        epochs(root, 15)
        change_data(root)
        wait_for(lambda: service.production() == 2, 90, service.said)
        service.run.send_signal(signal.SIGTERM)
        service.run.wait(10)


def test_a_score_whose_server_is_lost_for_good_is_whole_and_says_so(root, home, tmp_path):
    assert run_apart(home, "retrain", "iris", "--direct", "--root", root).code == 0
    flowers = (root / "data/iris/inbox/new_flowers.csv").read_text().splitlines()
    big = tmp_path / "big.csv"
    with big.open("w") as file:
        file.write(flowers[0] + "\n")
        for _ in range(0, ROWS, 12):
            file.write("\n".join(flowers[1:]) + "\n")
    output = tmp_path / "out.csv"
    run = subprocess.Popen(
        command("score", "iris", big, "--output", output, "--root", root),
        # As patient as it is by default it would take five minutes to give up.
        env=environment(home, PREFECT_CLIENT_MAX_RETRIES="1"),
        stderr=subprocess.PIPE,
        text=True,
    )

    def server_of_the_run():
        return [pid for pid, line in processes(home).items() if "create_app" in line]

    (server,) = wait_for(server_of_the_run, 60)
    wait_for(lambda: list(tmp_path.glob("*out.csv*")) or list(tmp_path.glob(".ffn*")), 60)
    os.kill(server, signal.SIGKILL)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 1
    assert "That is on the disk and whole; its record is missing: Prefect's server at" in said
    assert "Traceback" not in said
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_bytes())
    assert (manifest["rows"], manifest["rejected"]) == (ROWS + (-ROWS % 12), 0)
    direct = tmp_path / "direct.csv"
    score = ("score", "iris", root / "data/iris/inbox/new_flowers.csv", "--direct")
    assert run_apart(home, *score, "--output", direct, "--root", root).code == 0
    with output.open(newline="") as file, direct.open(newline="") as few:
        first = [row for row, _ in zip(csv.reader(file), range(13), strict=False)]
        assert first == list(csv.reader(few))
