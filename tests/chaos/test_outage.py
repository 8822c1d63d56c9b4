"""Nothing serves for a while: times are missed; or a server plans nothing at all."""

from __future__ import annotations

import datetime
import os
import re
import signal
import time

import pytest

from ffn.storage.pipeline_locks import retraining_lock
from tests.chaos.conftest import change_data, epochs
from tests.helpers.command_line import run_apart
from tests.helpers.service import Service, processes, serving
from tests.helpers.waiting import wait_for

MISSED = re.compile(
    r"score-iris: (\d+) scheduled runs missed since .*; one run replaces them all\."
)


@pytest.fixture
def root(root):
    """Also scored by a schedule, as often as one may."""
    settings = root / "data/iris/pipeline.toml"
    text = settings.read_text()
    settings.write_text(text.replace("[schedule]", '[schedule]\nscore = [{ every = "10s" }]'))
    return root


def settled(service):
    """Say whether a schedule has scored with nothing else to come from the first promotion."""
    return service.rows(
        "SELECT s.id FROM flow_run r JOIN flow_run s "
        "ON julianday(s.start_time) - julianday(r.end_time) > 15 / 86400.0 "
        "WHERE r.name = 'retrain-iris-v0001' AND s.auto_scheduled AND s.state_name = 'Completed'"
    )


def now():
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(sep=" ")


def check_made_up(service, begun, ended, home):
    """Of the times between, none is left to be run; one run is made for all, and it is told."""
    wait_for(lambda: MISSED.search(service.said), 60, service.said)
    # 40 seconds have four times; one more where the pause began or ended late.
    assert 4 <= int(MISSED.search(service.said)[1]) <= 7
    wait_for(lambda: len(service.rows(
        "SELECT id FROM flow_run WHERE expected_start_time > ? AND auto_scheduled "
        "AND state_type = 'COMPLETED'", ended)), 60, service.said)  # fmt: skip
    states = service.rows(
        "SELECT state_name, count(*) FROM flow_run WHERE auto_scheduled "
        "AND expected_start_time BETWEEN ? AND ? AND end_time > ? GROUP BY 1",
        begun,
        ended,
        begun,  # a run is begun somewhat before its time
    )
    found = dict(states)
    # At most one of them, if its time came as the service did; it may have given way to another.
    assert found.pop("Completed", 0) + found.pop("Skipped", 0) <= 1
    assert set(found) == {"Cancelled"}
    made = service.rows(
        "SELECT state_type FROM flow_run WHERE NOT auto_scheduled AND expected_start_time > ?",
        ended,
    )
    assert len(made) == 1
    status = run_apart(home, "status", "iris", "--root", service.root)
    assert re.search(r"\n  score    .* missed: \d scheduled runs missed since ", status.out)


def test_times_that_were_missed_while_nothing_served_are_dropped_and_told(root, home):
    with serving(root, home) as service:
        wait_for(lambda: settled(service), 120, service.said)
        service.kill()
        wait_for(lambda: not processes(home), 10)
        begun = now()
        time.sleep(42)
        ended = now()
        service.start()
        check_made_up(service, begun, ended, home)
        assert service.end() < 10


def test_times_that_a_machine_slept_through_are_dropped_and_told(root, home):
    with serving(root, home) as service:
        wait_for(lambda: settled(service), 120, service.said)
        begun = now()
        sleeping = list(processes(home))
        for pid in sleeping:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(42)
        ended = now()
        for pid in sleeping:
            os.kill(pid, signal.SIGCONT)
        check_made_up(service, begun, ended, home)
        assert service.end() < 10


def test_a_time_before_the_first_version_is_no_failure(root, home):
    epochs(root, 1_000_000)
    with serving(root, home) as service:
        wait_for(lambda: ("score-iris", "Skipped") in service.states(), 60, service.said)
        assert "Failed" not in {state for _, state in service.states()}
        assert service.end() < 10


def test_a_run_that_meets_another_of_its_kind_gives_way_and_comes_again(root, home):
    with serving(root, home) as service:
        wait_for(lambda: service.production() == 1, 120, service.said)
        wait_for(lambda: ("retrain-iris-v0001", "Completed") in service.states(), 30, service.said)
        with retraining_lock(root / "artifacts/iris"):
            change_data(root)
            wait_for(lambda: ("retrain-iris", "Cancelled") in service.states(), 60, service.said)
            assert "iris is already being retrained by process" in service.message("retrain-iris")
        wait_for(lambda: service.production() == 2, 60, service.said)
        assert "Failed" not in {state for _, state in service.states()}
        assert service.end() < 10


def test_a_server_that_plans_no_runs_ends_the_start_with_a_reason(root, home):
    service = Service(root, home, PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED="false")
    try:
        service.launch()
        wait_for(lambda: service.run.poll() is not None, 240, service.said)
        assert service.run.wait() == 1
        line = service.said.splitlines()[-1]
        assert line.startswith(
            "ffn: schedules do not fire: the server has scheduled no run of score-"
        )
        assert str(root / "artifacts/.serve/server.log") in line
        assert "Traceback" not in service.said
        wait_for(lambda: not processes(home), 10, str(processes(home)))
    finally:
        service.kill()
