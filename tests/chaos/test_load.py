"""Three pipelines, their inboxes filled without pause, on SQLite: no failed run, bounded growth."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter

from conftest import change_data
from service import quicken, serving, wait_for

MINUTES = float(os.environ.get("FFN_SOAK_MINUTES", "2"))
NAMES = ("iris", "lilies", "tulips")
KEPT_SECONDS = 60


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
        while time.monotonic() < end:
            for name in NAMES:
                inbox = root / "data" / name / "inbox"
                (inbox / f"{count % 200:03}.csv").write_text(flowers + f"n{count}," + "1,2,3,4\n")
            count += 1
            if count % 60 == 0:
                change_data(root)
            if count % 20 == 0:
                sizes += service.rows("SELECT count(*) FROM events")[0]
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
        # Cancelled are those that met another of their kind at work.
        assert set(states) <= {"Completed", "Unchanged", "Cancelled", "Running", "Pending"}, states
        assert states["Completed"] > 5
        print(f"{MINUTES:g} minutes: runs {dict(states)}, events {sizes}")  # noqa: T201
        time.sleep(15)
        oldest = service.rows(
            "SELECT count(*) FROM events WHERE occurred < datetime('now', ?)",
            f"-{3 * KEPT_SECONDS} seconds",
        )
        assert oldest == [(0,)]
        assert service.end() < 10
