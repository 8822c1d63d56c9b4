"""Two API servers and two processes of services on PostgreSQL and Redis: one of each is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.chaos.conftest import home, root
from tests.helpers.command_line import REPOSITORY, environment, run_apart
from tests.helpers.postgresql import PASSWORD as SQL_PASSWORD
from tests.helpers.postgresql import PostgreSQL, running_postgresql
from tests.helpers.service import quicken
from tests.helpers.waiting import LAST_RESORT, wait_for
from tests.scale.several_servers.load_balancer import balanced
from tests.scale.several_servers.redis_server import (
    PASSWORD,
    answers,
    free_port,
    running_redis,
)

__all__ = ["home", "root"]

RUNS = 40
DATABASE = "prefect_servers"
PREFECT = REPOSITORY / "build/pools/bin/prefect"
KEY = "admin:words-of-the-api"


class Servers(NamedTuple):
    """What runs, and where it is asked."""

    url: str
    api: dict[int, subprocess.Popen[bytes]]
    services: list[subprocess.Popen[bytes]]
    taken: dict[int, int]
    database: PostgreSQL


@pytest.fixture
def servers(home: Path) -> Iterator[Servers]:
    """As docs/how-to/postgresql.md sets them up, behind a load balancer, on the loopback."""
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(running_postgresql())
        postgresql.execute(f"CREATE DATABASE {DATABASE}")
        redis = stack.enter_context(running_redis(home))
        settings = {
            **postgresql.settings(DATABASE),
            "PREFECT_SERVER_API_AUTH_STRING": KEY,
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
            "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
            "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
            "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
            "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
            "PREFECT_REDIS_MESSAGING_PORT": str(redis),
            "PREFECT_REDIS_MESSAGING_PASSWORD": PASSWORD,
            "PREFECT_SERVER_DOCKET_URL": f"redis://:{PASSWORD}@127.0.0.1:{redis}/1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "OPENBLAS_NUM_THREADS": "1",
        }

        def start(name: str, *words: str) -> subprocess.Popen[bytes]:
            folder = home / name
            folder.mkdir()
            with (folder / "log").open("wb") as log:
                process = subprocess.Popen(
                    [PREFECT, "server", *words],
                    env=environment(folder, **settings),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            stack.callback(kill, process)
            return process

        made = start("made", "database", "upgrade", "--yes")
        assert made.wait(LAST_RESORT) == 0, (home / "made/log").read_text()
        api = {}
        for number in range(2):
            port = free_port()
            where = ("--host", "127.0.0.1", "--port", str(port))
            api[port] = process = start(f"api{number}", "start", "--no-services", *where)
            # One after the other: both would write the first entries of a new database.
            wait_for(partial(has_begun, port, process))
            assert process.poll() is None, (home / f"api{number}/log").read_text()[-2000:]
        services = [start(f"services{number}", "services", "start") for number in range(2)]
        port, taken = stack.enter_context(balanced(list(api)))
        yield Servers(f"http://127.0.0.1:{port}/api", api, services, taken, postgresql)


def has_begun(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Say whether a server answers, or has ended."""
    return answers(port) or process.poll() is not None


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program of Prefect's, as a machine does that loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def recorded(servers: Servers, since: str) -> tuple[Counter[str], Counter[str]]:
    """How many runs the database has in each state, and the tasks of those begun since then."""
    begun = (
        "SELECT task_run.state_type FROM flow_run LEFT JOIN task_run "
        f"ON task_run.flow_run_id = flow_run.id WHERE flow_run.start_time > '{since}'"
    )
    runs, tasks = (
        servers.database.execute(statement, DATABASE)
        for statement in ("SELECT state_type FROM flow_run", begun)
    )
    return Counter(str(row[0]) for row in runs), Counter(str(row[0]) for row in tasks)


def whole(runs: Counter[str], tasks: Counter[str]) -> bool:
    """Say whether all runs are recorded as completed, and these tasks, of which there are some."""
    return runs == Counter(COMPLETED=RUNS) and set(tasks) == {"COMPLETED"}


def test_one_of_each_is_killed_in_a_burst_and_no_run_is_lost(
    servers: Servers, root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quicken(root, "\n[inbox]\nwatch = false\n")
    assert run_apart(home, "retrain", "iris", "--direct", "--root", root).code == 0
    known = {
        "PREFECT_API_URL": servers.url,
        "PREFECT_API_AUTH_STRING": KEY,
        "OPENBLAS_NUM_THREADS": "1",
    }
    # Nobody is let in without the key.
    assert httpx.get(f"{servers.url}/admin/version", trust_env=False).status_code == 401
    output = home / "out"
    output.mkdir()
    sizes = map(str, (RUNS, 2, 5))
    burst = subprocess.Popen(
        [sys.executable, "-m", "tests.scale.postgresql.burst", root, output, *sizes],
        env=environment(home, **known),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: len(list(output.glob("*.csv"))) >= RUNS // 8)
        first, second = servers.api
        assert burst.poll() is None
        assert servers.taken[first] > 0
        assert servers.taken[second] > 0
        kill(servers.api[first])
        kill(servers.services[0])
        ((since,),) = servers.database.execute("SELECT now()::text")
        done = len(list(output.glob("[0-9]*.csv")))
        said, _ = burst.communicate(timeout=LAST_RESORT)
    finally:
        burst.kill()
    # It was in the middle.
    assert done < RUNS
    told = json.loads(said.splitlines()[-1])
    with capsys.disabled():
        print("\nTwo servers, one of each killed, 10 at once:", told)
    assert told["errors"] == []
    assert told["runs"] == RUNS
    contents = {(output / f"{number}.csv").read_bytes() for number in range(RUNS)}
    assert [content.count(b"\n") for content in contents] == [13]
    # Tasks are recorded from events, by the services that are left. Of an earlier run they may have
    # been in the memory of the server that was killed.
    deadline = time.monotonic() + LAST_RESORT
    while not whole(*recorded(servers, since)):
        assert time.monotonic() < deadline, recorded(servers, since)
        time.sleep(0.5)
    assert servers.api[second].poll() is None
    assert servers.services[1].poll() is None
    for word in (PASSWORD, SQL_PASSWORD, "words-of-the-api"):
        assert not [path for path in home.rglob("log") if word.encode() in path.read_bytes()]
