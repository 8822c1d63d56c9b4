"""kill -9 of a run, of everything, of the server; signals in the middle of work."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.chaos.conftest import change_data, epochs
from tests.helpers.command_line import run_apart
from tests.helpers.service import processes, serving
from tests.helpers.waiting import wait_for

ENDLESS = 1_000_000


def begun(service):
    """The processes of a run whose training has begun, as the server knows it."""

    def trains():
        states = service.rows(
            "SELECT name FROM task_run WHERE name LIKE 'train-%' AND state_type = 'RUNNING'"
        )
        return service.processes_of_runs() if states else []

    return wait_for(trains, 90, service.said)


def slots_held(service):
    return service.rows(
        "SELECT c.active_slots FROM deployment d "
        "JOIN concurrency_limit_v2 c ON c.id = d.concurrency_limit_id"
    )


def test_a_run_that_is_killed_is_crashed_in_seconds_and_the_next_one_succeeds(root, home):
    epochs(root, ENDLESS)
    with serving(root, home) as service:
        for pid in begun(service):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: ("retrain-iris", "Crashed") in service.states(), 10, str(service.states()))
        killed = "its process was killed, or the machine was, begun 20"
        wait_for(lambda: f"iris: retrain crashed: {killed}" in service.said, 10, service.said)
        wait_for(lambda: f"| crashed | {killed}" in service.artifact("status-iris"), 10)
        status = run_apart(home, "status", "iris", "--root", root)
        assert status.out.count(f"crashed: {killed}") == 1
        epochs(root, 15)
        change_data(root)
        wait_for(lambda: service.production() == 1, 60, service.said)
        wait_for(lambda: ("retrain-iris-v0001", "Completed") in service.states(), 30)
        wait_for(lambda: {held for (held,) in slots_held(service)} == {0}, 60)


def test_after_everything_was_killed_a_restart_tells_and_goes_on(root, home):
    epochs(root, ENDLESS)
    with serving(root, home) as service:
        begun(service)
        service.kill()
        wait_for(lambda: not processes(home), 10)
        assert ("retrain-iris", "Running") in service.states()
        epochs(root, 15)
        started = time.monotonic()
        service.start()
        wait_for(lambda: ("retrain-iris", "Crashed") in service.states(), 30)
        assert time.monotonic() - started < 120
        assert "retrain-iris: 1 run died with the service; started again." in service.said
        status = run_apart(home, "status", "iris", "--root", root)
        assert status.out.count("crashed: its process was killed") == 1
        wait_for(lambda: service.production() == 1, 60, service.said)
        wait_for(lambda: {held for (held,) in slots_held(service)} == {0}, 60)
        assert not service.rows("SELECT name FROM task_run WHERE state_type = 'RUNNING'")


def test_a_server_that_is_killed_is_started_again_and_the_run_is_recorded(root, home):
    epochs(root, 30_000)
    with serving(root, home) as service:
        begun(service)
        os.kill(service.server(), signal.SIGKILL)
        wait_for(lambda: "Prefect's server ended" in service.said, 10)
        wait_for(lambda: service.production() == 1, 240, service.said)
        wait_for(lambda: ("retrain-iris-v0001", "Completed") in service.states(), 60)
        wait_for(lambda: ("score-iris-v0001", "Completed") in service.states(), 60)
        tasks = service.rows("SELECT name, state_type FROM task_run WHERE name NOT LIKE 'score%'")
        assert len(tasks) >= 15
        assert {state for _, state in tasks} == {"COMPLETED"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_service_at_work_in_seconds(root, home, number):
    epochs(root, ENDLESS)
    with serving(root, home) as service:
        begun(service)
        assert service.end(number) < 10
        assert service.rows("SELECT paused FROM deployment") == [(0,), (0,)]
        assert "Running" not in {state for _, state in service.states()}
    assert service.production() is None
    models = root / "artifacts/iris/models"
    assert not models.exists() or not list(models.glob("[0-9]*"))


def test_a_service_that_is_killed_alone_takes_its_server_with_it(root, home):
    with serving(root, home) as service:
        wait_for(lambda: ("score-iris-v0001", "Completed") in service.states(), 90, service.said)
        wait_for(lambda: not service.processes_of_runs(), 30)
        os.kill(service.run.pid, signal.SIGKILL)
        service.run.wait()
        wait_for(lambda: not processes(home), 15, str(processes(home)))
        # The port and the lock are free again.
        service.start()
        with contextlib.suppress(ProcessLookupError):
            assert service.end() < 10
