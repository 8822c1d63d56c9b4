"""CPU time of whole processes that compare four optimizers on Iris, imports included."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import one_thread
from benchmarks.rounds import Measured
from benchmarks.training.agreement import DisagreementError
from benchmarks.training.field import missing_peers
from benchmarks.training.work import Work

__all__ = ["time_programs"]

Array = npt.NDArray[Any]

_PROGRAMS = {
    "ours": ("ffn", "with_ffn"),
    "scikit-learn": ("sklearn", "with_scikit_learn"),
    "PyTorch": ("torch", "with_pytorch"),
    "JAX": ("jax", "with_jax"),
}


def time_programs(
    root: Path, work: Work, *, rounds: int, epochs: int, least_accuracy: float
) -> Measured:
    """Run every program ``rounds`` times in turns, after one run of each that does not count.

    Parameters
    ----------
    root
        The repository, for the imports.
    work
        Iris: its rows.
    rounds, epochs
        How often, how long.
    least_accuracy
        What each optimizer must reach on the validation rows for a program's time to count.

    Raises
    ------
    DisagreementError
        An optimizer did not.
    """
    sides = {
        side: module
        for side, (package, module) in _PROGRAMS.items()
        if package not in missing_peers()
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="ffn-benchmark-") as folder:
        table = Path(folder) / "iris.npz"
        (x, y), (x_validation, y_validation) = work.train_part, work.validation_part
        np.savez(table, x_train=x, y_train=y, x_validation=x_validation, y_validation=y_validation)
        for number in range(1 + rounds):
            for side, module in sides.items():
                command = ["-m", f"benchmarks.training.cold.{module}", str(table), str(epochs)]
                taken, printed = _run([sys.executable, *command], root)
                accuracies = [float(line.split()[1]) for line in printed.splitlines()]
                if len(accuracies) != 4 or min(accuracies) < least_accuracy:
                    raise DisagreementError(
                        f"cold process, {side}: validation accuracies {accuracies}, four of at "
                        f"least {least_accuracy} were expected"
                    )
                if number:
                    seconds[side].append(taken)
    return Measured(
        work="Iris, four optimizers, cold process",
        seconds={side: np.array(times) for side, times in seconds.items()},
    )


def _run(command: list[str], root: Path) -> tuple[float, str]:
    """Return the CPU seconds, user and system, of a process of its own, and its few lines."""
    environment = {**os.environ, **one_thread(), "PYTHONPATH": str(root)}
    process = subprocess.Popen(  # noqa: S603
        command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    printed, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime, printed
