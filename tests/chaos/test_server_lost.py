"""A server that goes away: for half a minute, or for good while files are scored."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from tests.chaos.conftest import change_data, epochs
from tests.chaos.test_killed import begun, slots_held
from tests.helpers.command_line import command, environment, run_apart
from tests.helpers.service import free_port, processes, serving
from tests.helpers.waiting import wait_for

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


def fill(path, root, rows=ROWS):
    """Write a table of the inbox's flowers over and over; returns its number of rows."""
    header, *flowers = (root / "data/iris/inbox/new_flowers.csv").read_text().splitlines()
    times = -(-rows // len(flowers))
    with path.open("w") as file:
        file.write(header + "\n")
        for _ in range(times):
            file.write("\n".join(flowers) + "\n")
    return times * len(flowers)


def check_whole(output, rows, root, home):
    """The output has all rows, and each is what the same row alone is labelled."""
    manifest = json.loads(output.with_name(output.name + ".manifest.json").read_bytes())
    assert (manifest["rows"], manifest["rejected"]) == (rows, 0)
    direct = home / "direct.csv"
    score = ("score", "iris", root / "data/iris/inbox/new_flowers.csv", "--direct")
    assert run_apart(home, *score, "--output", direct, "--root", root).code == 0
    _, *few = direct.read_text().splitlines()
    with output.open() as file:
        next(file)
        found = 0
        for line, wanted in zip(file, itertools.cycle(few), strict=False):
            assert line.rstrip("\r\n") == wanted
            found += 1
    assert found == rows


def test_a_score_whose_server_is_lost_for_good_is_whole_and_says_so(root, home, tmp_path):
    assert run_apart(home, "retrain", "iris", "--direct", "--root", root).code == 0
    rows = fill(tmp_path / "big.csv", root)
    output = tmp_path / "out.csv"
    run = subprocess.Popen(
        command("score", "iris", tmp_path / "big.csv", "--output", output, "--root", root),
        # As patient as it is by default it would take five minutes to give up.
        env=environment(home, PREFECT_CLIENT_MAX_RETRIES="1"),
        stderr=subprocess.PIPE,
        text=True,
    )

    def server_of_the_run():
        return [pid for pid, line in processes(home).items() if "server_process" in line]

    (server,) = wait_for(server_of_the_run, 60)
    wait_for(lambda: list(tmp_path.glob(".out.csv.*")), 60)
    os.kill(server, signal.SIGKILL)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 1
    assert "That is on the disk and whole; its record is missing: Prefect's server at" in said
    assert "Traceback" not in said
    check_whole(output, rows, root, home)


def test_a_scheduled_score_whose_server_is_lost_for_good_is_whole_and_says_so(
    root, home, own_server
):
    wait_for(own_server.answers, 120, "the server does not answer")
    patience = {"PREFECT_CLIENT_MAX_RETRIES": "1"}
    with serving(root, home, PREFECT_API_URL=own_server.api, **patience) as service:
        predictions = root / "artifacts/iris/predictions"
        wait_for((predictions / "new_flowers.csv").exists, 120, service.said)
        rows = fill(root / "big.csv", root)
        (root / "big.csv").rename(root / "data/iris/inbox/big.csv")
        wait_for(lambda: list(predictions.glob(".big.csv.*")), 60, service.said)
        own_server.kill()
        output = predictions / "big.csv"
        wait_for(output.exists, 240, service.said)
        scored = f"iris: 1 file scored with version 1: {rows:,} of {rows:,} rows."
        wait_for(lambda: scored in service.said, 60, service.said)
        missing = (
            f"{scored} That is on the disk and whole; its record is missing: "
            f"Prefect's server at {own_server.api} is gone."
        )
        wait_for(lambda: missing in service.said, 120, service.said)
        assert "Traceback" not in service.said
        check_whole(output, rows, root, home)
        # The pipeline's own record has it.
        status = run_apart(home, "status", "iris", "--root", root)
        assert f"scored: 1 file scored with version 1: {rows:,} of {rows:,} rows." in status.out
        # Should it come back after all, the run is not at work for ever, and the next one scores.
        own_server.start()
        (root / "artifacts/.serve/prefect.db").symlink_to(home / ".prefect/prefect.db")
        wait_for(lambda: "Crashed" in {state for _, state in service.states()}, 240, service.said)
        wait_for(lambda: {held for (held,) in slots_held(service)} == {0}, 30)
        (root / "big.csv").write_text((root / "data/iris/inbox/new_flowers.csv").read_text())
        (root / "big.csv").rename(root / "data/iris/inbox/next.csv")
        wait_for((predictions / "next.csv").exists, 120, service.said)
        service.run.send_signal(signal.SIGTERM)
        assert service.run.wait(10) == 0
