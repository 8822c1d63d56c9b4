"""Score runs submitted together, to the server that ``PREFECT_API_URL`` names.

::

    burst ROOT FOLDER RUNS PROCESSES THREADS

Each run labels the flowers in the inbox into a file of its own in FOLDER. Prints a JSON object.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path


def submit(numbers: list[int], root: str, folder: str, threads: int) -> list[tuple[str, float]]:
    """Run in threads; return what each was refused with, if it was, and its seconds."""
    from flows.server.run_flow import configure

    configure()
    logging.raiseExceptions = False
    from flows.score_flow import score

    def one(number: int) -> tuple[str, float]:
        started = time.monotonic()
        flowers = Path(root, "data/iris/inbox/new_flowers.csv")
        try:
            score("iris", [(flowers, Path(folder, f"{number}.csv"))], root, {"force": True})
        except BaseException as error:
            return f"{type(error).__name__}: {error}".splitlines()[0], time.monotonic() - started
        return "", time.monotonic() - started

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, numbers))


def main() -> None:
    root, folder = sys.argv[1:3]
    runs, processes, threads = map(int, sys.argv[3:])
    started = time.monotonic()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        shares = [list(range(runs))[start::processes] for start in range(processes)]
        waiting = [pool.submit(submit, share, root, folder, threads) for share in shares]
        done = [one for share in waiting for one in share.result()]
    seconds = sorted(one for _, one in done)
    told = {
        "runs": len(done),
        "errors": [error for error, _ in done if error],
        "seconds": round(time.monotonic() - started, 1),
        "median": round(seconds[len(seconds) // 2], 1),
        "longest": round(seconds[-1], 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
