"""Runs every side on every split of every table, as long as there is time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.figures import figures_of
from benchmarks.accuracy.peers import Side
from benchmarks.accuracy.results import Key, Result, Results
from benchmarks.accuracy.tables.catalogue import Table
from benchmarks.accuracy.tables.splitting import LABEL, Split, write_split
from benchmarks.machine import processor

__all__ = ["Job", "in_order", "run_job", "run_jobs", "write_jobs"]

_POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Job:
    """One side on one split."""

    key: Key
    side: Side
    split: Split


def write_jobs(
    tables: Sequence[Table], sides: Sequence[Side], seeds: Sequence[int], folder: Path
) -> list[Job]:
    """Write the CSV files of all splits into ``folder``, and return the jobs in their order."""
    jobs = []
    for table in tables:
        for seed in seeds:
            split = write_split(table, seed, folder / table.name / str(seed))
            for side in sides:
                key = Key(
                    side=side.name,
                    version=side.version,
                    code=side.code,
                    table=table.name,
                    digest=split.digest,
                    seed=seed,
                )
                jobs.append(Job(key=key, side=side, split=split))
    return in_order(jobs)


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs of quick sides first, then seed by seed, the smaller files first.

    When time runs out, what is missing then is slow sides on long tables with another seed.
    """
    return sorted(
        jobs, key=lambda job: (job.side.slow, job.key.seed, job.split.train.stat().st_size)
    )


def run_jobs(jobs: Sequence[Job], results: Results, *, until: float, workers: int = 1) -> None:
    """Run those jobs that have no result yet, or failed, and add their results.

    Parameters
    ----------
    until
        Of ``time.monotonic``: no job starts later, and those that still run are ended.
    workers
        Jobs at a time, each with one thread; 1, since others then do not disturb it.
    """
    waiting = [job for job in jobs if not ((known := results.get(job.key)) and known.figures)]

    stopped = threading.Event()

    def over() -> bool:
        return stopped.is_set() or time.monotonic() > until

    def run(job: Job) -> None:
        if not over() and (result := run_job(job, over)) is not None:
            results.add(result)
            _tell(result)

    with ThreadPoolExecutor(workers) as pool:
        try:
            list(pool.map(run, waiting))
        finally:
            # After Ctrl-C the pool waits for its threads: they must not go on to the next job.
            stopped.set()


def run_job(job: Job, over: Callable[[], bool]) -> Result | None:
    """Return the result, or None if there was no time left for it.

    Parameters
    ----------
    job
        What to run.
    over
        Says whether the time is up.
    """
    with tempfile.TemporaryDirectory(prefix="ffn-accuracy-") as folder:
        output = Path(folder) / "probabilities.npy"
        command = [sys.executable, "-m", "benchmarks.accuracy.contestant"]
        command += [job.key.side, str(job.split.train), str(job.split.test)]
        command += [str(job.key.seed), str(output)]
        ended = _wait(command, over)
        if ended is None:
            return None
        cpu, text, error = ended
        result = Result(key=job.key, figures=None, cpu=cpu, processor=processor())
        if error is not None:
            return replace(result, error=error)
        found = json.loads(text.splitlines()[-1])
        labels = pd.read_csv(job.split.test, dtype=str, keep_default_na=False)[LABEL]
        figures = figures_of(np.load(output), found["classes"], labels.to_numpy(dtype=str))
        return replace(result, figures=figures, rejected=found["rejected"])


def _wait(command: list[str], over: Callable[[], bool]) -> tuple[float, str, str | None] | None:
    """Return CPU seconds, what it printed, and how it failed, if it did; None if it was ended."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "FFN"))}
    # Libraries were compiled when they were installed; ours would be anew, in each process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=Path(__file__).parents[2],
            stdout=printed,
            stderr=errors,
            env=environment,
            # A group of its own, so that what it started ends with it.
            start_new_session=True,
        )
        # wait4 counts the processes that it waited for, too.
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if over():
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return None
            time.sleep(_POLL_SECONDS)
        _, status, used = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        failed = (lines or [f"exit code {process.returncode}"])[-1] if process.returncode else None
        return used.ru_utime + used.ru_stime, printed.read().decode(), failed


def _tell(result: Result) -> None:
    key, figures = result.key, result.figures
    found = f"log-loss {figures.log_loss:.4f}" if figures else result.error
    sys.stderr.write(
        f"accuracy {key.table}, seed {key.seed}: {key.side} {found}, {result.cpu:.0f} CPU s\n"
    )
