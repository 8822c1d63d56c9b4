"""Three pipelines, their inboxes filled without pause, on SQLite: no failed run, bounded growth."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections import Counter

from tests.chaos.conftest import change_data
from tests.helpers.service import quicken, serving
from tests.helpers.waiting import wait_for

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
NAMES = ("iris", "lilies", "tulips")
KEPT_SECONDS = 60
BEGINNING = {"Pending", "Submitting"}


def test_no_run_fails_and_the_database_keeps_what_it_is_told_to(root, home):
    for name in NAMES[1:]:
        shutil.copytree(root / "data/iris", root / "data" / name)
    for name in NAMES:
        quicken(
            root,
            '\n[schedule]\nretrain_on = ["data"]\nscore = [{ every = "30s" }]\n'
            '[inbox]\nlook_every = "1s"\nsettle = "1s"\n[gate]\nmode = "always"\n',
            name,
        )
    retention = {
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"PT{KEPT_SECONDS}S",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "10",
    }
    flowers = (root / "data/iris/inbox/new_flowers.csv").read_text()
    with serving(root, home, **retention) as service:
        wait_for(lambda: all(map(service.production, NAMES)), 180, service.said)
        end, count, sizes = time.monotonic() + 60 * MINUTES, 0, []
        megabytes: list[float] = []
        while time.monotonic() < end:
            for name in NAMES:
                inbox = root / "data" / name / "inbox"
                (inbox / f"{count % 200:03}.csv").write_text(flowers + f"n{count}," + "1,2,3,4\n")
            count += 1
            if count % 60 == 0:
                change_data(root)
            if count % 20 == 0:
                sizes += service.rows("SELECT count(*) FROM events")[0]
                megabytes.append(round(database_bytes(service) / 1e6, 1))
            time.sleep(0.5)
        wait_for(
            lambda: all(
                len(list((root / "artifacts" / name / "predictions").glob("*.manifest.json")))
                >= min(count, 200)
                for name in NAMES
            ),
            120,
            service.said,
        )
        states = Counter(state for _, state in service.states())
        # Cancelled or skipped are those that met another of their kind at work.
        ended = {"Completed", "Unchanged", "Cancelled", "Skipped"}
        assert set(states) <= ended | {"Running", *BEGINNING}, states
        assert states["Completed"] > 5
        print(f"{MINUTES:g} minutes: runs {dict(states)}, {count} files an inbox")  # noqa: T201
        print(f"events {sizes[::10]}, MB {megabytes[::10]}")  # noqa: T201
        # Of a steady load as many are kept in the end as in the middle.
        middle = len(sizes) // 2
        assert max(sizes[middle:]) <= 2 * max(sizes[:middle])
        time.sleep(15)
        oldest = service.rows(
            "SELECT count(*) FROM events WHERE occurred < datetime('now', ?)",
            f"-{3 * KEPT_SECONDS} seconds",
        )
        assert oldest == [(0,)]
        old = age(service, days=31)
        wait_for(lambda: not any(left_of(service, run) for run in old), 90, service.said)
        assert service.end() < 10


def database_bytes(service):
    ((size,),) = service.rows(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    )
    return size


def age(service, days):
    """Make five runs older than they are; returns their ids."""
    path = service.root / "artifacts/.serve/prefect.db"
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database, database:
        runs = database.execute(
            "SELECT id FROM flow_run WHERE state_type = 'COMPLETED' ORDER BY end_time LIMIT 5"
        ).fetchall()
        for (run,) in runs:
            database.execute(
                "UPDATE flow_run SET end_time = datetime(end_time, ?) WHERE id = ?",
                (f"-{days} days", run),
            )
    assert len(runs) == 5
    assert all(left_of(service, run) for (run,) in runs)
    return [run for (run,) in runs]


def left_of(service, run):
    """Rows that the database has of a run."""
    return sum(
        service.rows(f"SELECT count(*) FROM {table} WHERE {column} = ?", run)[0][0]
        for table, column in (
            ("flow_run", "id"),
            ("task_run", "flow_run_id"),
            ("log", "flow_run_id"),
            ("artifact", "flow_run_id"),
        )
    )
