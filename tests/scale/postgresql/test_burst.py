"""Many runs at once: PostgreSQL takes them all; under SQLite, a service holds its own back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.helpers.command_line import REPOSITORY, environment, run_apart
from tests.helpers.service import quicken
from tests.helpers.service import serving as serving_with_sqlite
from tests.helpers.waiting import LAST_RESORT, wait_for
from tests.scale.postgresql.test_prefect_on_postgresql import serving

RUNS = 200
AT_ONCE = 4
PIPELINES = 12


def submit(service, folder, processes, threads):
    """Submit the runs from other programs to the server of a service."""
    known = {
        "PREFECT_API_URL": f"{service.dashboard}/api",
        "PREFECT_API_AUTH_STRING": service.password,
        "OPENBLAS_NUM_THREADS": "1",
    }
    folder.mkdir()
    sizes = map(str, (RUNS, processes, threads))
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.postgresql.burst", service.root, folder, *sizes],
        env=environment(service.home, **known),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=3 * LAST_RESORT,
    )
    return json.loads(done.stdout.splitlines()[-1])


def check_all_recorded(service, told, folder):
    """Every run has its output, and the server knows it and its task as completed."""
    assert told["errors"] == []
    assert told["runs"] == RUNS
    (first, *others) = [(folder / f"{number}.csv").read_bytes() for number in range(RUNS)]
    assert first.count(b"\n") == 13
    assert set(others) == {first}
    submitted = (
        "FROM flow_run r JOIN flow f ON f.id = r.flow_id "
        "WHERE f.name = 'score' AND r.deployment_id IS NULL"
    )

    def recorded():
        runs = Counter(service.rows(f"SELECT r.state_type {submitted}"))
        # Tasks are recorded from events, which come a little later.
        tasks = Counter(
            service.rows(
                f"SELECT state_type FROM task_run WHERE flow_run_id IN (SELECT r.id {submitted})"
            )
        )
        return runs, tasks

    whole = {("COMPLETED",): RUNS}
    wait_for(lambda: recorded() == (whole, whole), 120, str(recorded()))


@pytest.fixture
def trained(root, home):
    """Iris with a version, and no schedule or inbox that adds runs of its own."""
    quicken(root, "\n[inbox]\nwatch = false\n")
    assert run_apart(home, "retrain", "iris", "--direct", "--root", root).code == 0
    return root


def test_postgresql_takes_them_all(trained, home, postgresql, database, capsys):
    with serving(trained, home, postgresql, database) as service:
        told = submit(service, home / "out", 4, 10)
        with capsys.disabled():
            print("\nPostgreSQL, 40 at once:", told)
        check_all_recorded(service, told, home / "out")


def test_sqlite_takes_a_few_at_a_time(trained, home, capsys):
    """As many as a service with SQLite starts by itself."""
    with serving_with_sqlite(trained, home) as service:
        told = submit(service, home / "out", 1, AT_ONCE)
        with capsys.disabled():
            print(f"\nSQLite, {AT_ONCE} at once:", told)
        check_all_recorded(service, told, home / "out")


def test_a_service_with_sqlite_holds_its_own_burst_back(root, home):
    """All its pipelines are due at once: each is trained and its inbox scored, a few at a time."""
    for number in range(1, PIPELINES):
        copy = root / f"data/iris{number}"
        shutil.copytree(root / "data/iris", copy)
    names = ["iris", *(f"iris{number}" for number in range(1, PIPELINES))]
    most = Counter()
    with serving_with_sqlite(root, home) as service:
        assert (
            f"SQLite, which has one writer at a time: at most {AT_ONCE} retrainings" in service.said
        )
        wanted = {
            (f"{what}-{name}-v0001", "Completed") for name in names for what in ("retrain", "score")
        }
        deadline = time.monotonic() + LAST_RESORT
        while not wanted <= set(service.states()):
            assert time.monotonic() < deadline, sorted(wanted - set(service.states()))
            active = Counter(
                name.partition("-")[0]
                for name, state in service.states()
                if state in ("Running", "Pending")
            )
            most |= active
            assert len(service.processes_of_runs()) <= 2 * AT_ONCE
            time.sleep(0.5)
        assert {state for _, state in service.states()} == {"Completed"}
        assert "database is locked" not in (root / "artifacts/.serve/server.log").read_text()
    assert 1 < most["retrain"] <= AT_ONCE
    assert most["score"] <= AT_ONCE
