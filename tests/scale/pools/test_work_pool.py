"""``ffn serve --work-pool``: workers execute the runs, and a lost one costs a try, not the work."""

from __future__ import annotations

import os
import signal
import time

import httpx

from ffn.registry.promotion_history import read_history
from tests.chaos.conftest import change_data, epochs
from tests.helpers.command_line import run_apart
from tests.helpers.service import processes, serving
from tests.helpers.waiting import wait_for
from tests.scale.pools.conftest import POOL, working

ENDLESS = 1_000_000
IN_POOL = ("--work-pool", POOL)
DONE = {("retrain-iris-v0001", "Completed"), ("score-iris-v0001", "Completed")}


class Api:
    """The API of a service, asked with its password."""

    def __init__(self, service):
        name, _, word = service.password.partition(":")
        self._client = httpx.Client(
            base_url=f"{service.dashboard}/api", auth=(name, word), trust_env=False, timeout=60
        )
        token = self._client.get("/csrf-token", params={"client": "tests"}).json()["token"]
        csrf = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": "tests"}
        self._client.headers.update(csrf)

    def ask(self, method, path, **content):
        answer = self._client.request(method, path, **({"json": content} if content else {}))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def begun(service, worker):
    """The process of a run whose training has begun."""

    def trains():
        states = service.rows(
            "SELECT name FROM task_run WHERE name LIKE 'train-%' AND state_type = 'RUNNING'"
        )
        return worker.runs() if states and worker.runs() else []

    return wait_for(trains, 120, service.said + worker.said)


def story(service, name):
    """The states of the only run of a name, the oldest first."""
    rows = service.rows(
        "SELECT s.name FROM flow_run_state s JOIN flow_run r ON r.id = s.flow_run_id "
        "WHERE r.name = ? ORDER BY s.timestamp",
        name,
    )
    return [state for (state,) in rows]


def test_workers_execute_what_the_service_schedules(root, home):
    with serving(root, home, *IN_POOL) as service:
        wait_for(lambda: f'No worker of the pool "{POOL}" is online.' in service.said, 60)
        assert f'workers of the pool "{POOL}" (type process, created now)' in service.said
        with working(service) as worker:
            wait_for(lambda: set(service.states()) >= DONE, 180, service.said + worker.said)
            # The service asks for workers every few seconds.
            wait_for(lambda: f'A worker of the pool "{POOL}" is online.' in service.said, 60)
            # A file that comes later is seen by the service, and scored by the worker.
            flowers = root / "data/iris/inbox/new_flowers.csv"
            (root / "data/iris/inbox/later.csv").write_text(flowers.read_text())
            later = root / "artifacts/iris/predictions/later.csv"
            wait_for(later.exists, 120, worker.said)
            assert later.read_text() == later.with_name("new_flowers.csv").read_text()
            for line in processes(home).values():
                assert service.password.partition(":")[2] not in line
            assert not service.processes_of_runs()
        direct = home / "direct.csv"
        score = ("score", "iris", flowers, "--direct", "--output", direct, "--root", root)
        assert run_apart(home, *score).code == 0
        assert direct.read_text() == later.read_text()


def test_a_worker_that_is_killed_alone_costs_nothing_but_time(root, home):
    epochs(root, 8_000)
    with serving(root, home, *IN_POOL) as service:
        with working(service) as worker:
            begun(service, worker)
            worker.kill()
        with working(service) as worker:
            wait_for(lambda: service.production() == 1, 400, service.said + worker.said)
            wait_for(lambda: set(service.states()) >= DONE, 120, str(service.states()))
    assert len(read_history(root / "artifacts/iris").entries) == 1


def test_a_run_that_is_killed_with_its_worker_is_tried_again(root, home):
    epochs(root, ENDLESS)
    with serving(root, home, *IN_POOL) as service:
        with working(service) as worker:
            begun(service, worker)
            worker.kill(with_runs=True)
        epochs(root, 15)
        # It stays "Running" until it has been silent for three heartbeats.
        assert ("retrain-iris", "Running") in service.states()
        with working(service) as worker:
            wait_for(lambda: set(service.states()) >= DONE, 300, service.said + worker.said)
        assert "retrain-iris: a run was lost; it is tried again (2 of 3)." in service.said
        lost = story(service, "retrain-iris-v0001")
        assert [state for state in lost if state in ("Crashed", "AwaitingRetry", "Completed")] == [
            "Crashed",
            "AwaitingRetry",
            "Completed",
        ]
        assert not service.rows("SELECT name FROM task_run WHERE state_type = 'RUNNING'")


def test_a_run_that_is_killed_again_and_again_is_given_up(root, home):
    epochs(root, ENDLESS)
    with serving(root, home, *IN_POOL) as service, working(service) as worker:
        for tries in (1, 2, 3):
            (pid,) = begun(service, worker)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: ("retrain-iris", "Crashed") in service.states(), 60)
            if tries < 3:
                told = f"a run was lost; it is tried again ({tries + 1} of 3)."
                wait_for(lambda told=told: told in service.said, 120, service.said)
        # Longer than it took before.
        time.sleep(70)
        assert service.states() == [("retrain-iris", "Crashed")]
        assert story(service, "retrain-iris").count("AwaitingRetry") == 2
        assert not service.rows("SELECT name FROM task_run WHERE state_type = 'RUNNING'")


def test_a_run_that_a_partition_starts_twice_changes_production_once(root, home):
    """The server believes that a run is dead, and a worker starts it again while it still works."""
    epochs(root, 8_000)
    with serving(root, home, *IN_POOL) as service, working(service) as worker:
        (first,) = begun(service, worker)
        api = Api(service)
        (run,) = [
            found["id"]
            for found in api.ask("POST", "/flow_runs/filter", sort="START_TIME_ASC")
            if found["name"] == "retrain-iris"
        ]
        for state in ({"type": "CRASHED"}, {"type": "SCHEDULED", "name": "AwaitingRetry"}):
            api.ask("POST", f"/flow_runs/{run}/set_state", state=state, force=True)
        wait_for(lambda: len(worker.runs()) == 2, 60, worker.said)
        # The second finds the lock of the first, and gives way.
        wait_for(lambda: worker.runs() == [first], 120, worker.said)
        assert f"is already being retrained by process {first}." in service.message("retrain-iris")
        wait_for(lambda: service.production() == 1, 300, service.said)
    folder = root / "artifacts/iris"
    assert [path.name for path in (folder / "models").glob("[0-9]*")] == ["0001"]
    assert [entry.version for entry in read_history(folder).entries] == [1]
    assert run_apart(home, "verify", "iris", "--root", root).code == 0


def test_a_worker_of_another_version_is_refused(root, home):
    with serving(root, home, *IN_POOL) as service:
        api = Api(service)
        (deployment,) = [
            found
            for found in api.ask("POST", "/deployments/filter", limit=50)
            if found["name"] == "retrain-iris"
        ]
        variables = deployment["job_variables"]
        variables["env"]["FFN_SERVICE_VERSION"] = "0.0.1"
        api.ask("PATCH", f"/deployments/{deployment['id']}", job_variables=variables)
        with working(service) as worker:
            # The first retraining, which the service has asked for, and which no worker has taken.
            wait_for(lambda: ("retrain-iris", "Failed") in service.states(), 120, worker.said)
        said = service.message("retrain-iris")
        assert "This worker has ffn-pipeline" in said
        assert "and the service that deployed the run 0.0.1." in said


def test_a_service_takes_its_deployments_from_a_pool_again(root, home):
    with serving(root, home, *IN_POOL) as service, working(service) as worker:
        wait_for(lambda: set(service.states()) >= DONE, 180, service.said + worker.said)
        service.run.send_signal(signal.SIGTERM)
        assert service.run.wait(15) == 0
        assert "Ending. Runs at work on workers go on." in service.said
    with serving(root, home) as service:
        assert f'retrain-iris is taken from the pool "{POOL}" and executed here.' in service.said
        change_data(root)
        wait_for(lambda: service.production() == 2, 120, service.said)
        assert service.rows("SELECT count(*) FROM flow_run WHERE name = 'retrain-iris-v0001'")
        kept = service.rows("SELECT DISTINCT work_queue_name FROM deployment")
        assert kept == [(None,)]
