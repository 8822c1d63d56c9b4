"""Wall time of whole commands, interpreter and imports included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Timed", "time_retraining"]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A command line and the wall seconds of each of its runs."""

    command: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return float(np.median(self.seconds))


def time_retraining(root: Path, runs: int, *, direct: bool) -> Timed:
    """Time ``ffn retrain iris`` in a copy of ``root/data``, after a run that does not count.

    Through Prefect each run starts a server of its own and stops it, as without
    ``PREFECT_API_URL`` it always does.
    """
    options = ["--direct"] if direct else []
    with tempfile.TemporaryDirectory(prefix="ffn-benchmark-") as folder:
        shutil.copytree(root / "data", Path(folder) / "data")
        command = [sys.executable, "-m", "flows", "retrain", "iris", *options, "--root", folder]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "FFN"))}
        environment["PREFECT_HOME"] = str(Path(folder) / "prefect")
        seconds = []
        for _ in range(1 + runs):
            started = time.perf_counter()
            subprocess.run(  # noqa: S603
                command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL
            )
            seconds.append(time.perf_counter() - started)
    return Timed(command=" ".join(["ffn retrain iris", *options]), seconds=tuple(seconds[1:]))
