"""Runs each side in a process of its own, and tells its CPU time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Finished", "run_program", "run_side"]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A process that has ended well.

    Attributes
    ----------
    cpu, wall
        Seconds; CPU is user and system, of the processes it started, too.
    """

    output: str
    cpu: float
    wall: float

    @property
    def found(self) -> dict[str, Any]:
        """What it printed as JSON."""
        result: dict[str, Any] = json.loads(self.output)
        return result


def run_program(root: Path, *arguments: str) -> Finished:
    """Run ``python ARGUMENTS`` in ``root`` to its end.

    Raises
    ------
    subprocess.CalledProcessError
        It failed.
    """
    command = [sys.executable, *arguments]
    # Polars takes one thread a core otherwise.
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    # Libraries were compiled when they were installed; ours would be anew, in each process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=root, stdout=output, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        text = output.read().decode()
    return Finished(output=text, cpu=used.ru_utime + used.ru_stime, wall=wall)


def run_side(root: Path, side: str, bundle: Path, source: Path, output: Path) -> Finished:
    """Have one of the `SIDES` label a file, from nothing."""
    for path in output.parent.glob(f"{output.name}*"):
        path.unlink()
    arguments = (side, str(bundle), str(source), str(output))
    return run_program(root, "-m", "benchmarks.scoring.sides", *arguments)
