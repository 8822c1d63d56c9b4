"""Tasks that compute nothing, given to the workers of a cluster: what a task costs by itself.

::

    python -m benchmarks.scale.empty_tasks dask|ray ADDRESS TASKS
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.scale.nothing import nothing
from ffn.clusters.workers import RemoteTask, open_workers
from ffn.settings.service_settings import RunnerSettings

__all__ = ["main"]

_AT_ONCE = 4


def main(kind: str, address: str, tasks: int) -> None:
    """Have so many tasks computed, four at a time, as scoring has them on two workers."""
    settings: dict[str, Any] = {"kind": kind, f"{kind}_address": address, "wait": "10m"}
    runner = RunnerSettings(**settings)
    with (
        open_workers(runner, Path.cwd(), left="") as workers,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        task = RemoteTask(nothing, b"", "nothing", lambda: b"")

        def one(_: int) -> bytes:
            return workers.compute(task, lambda: None)

        if any(pool.map(one, range(tasks))):
            raise RuntimeError("something came back")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
