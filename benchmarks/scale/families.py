"""Processes that one has started, however far below it: their CPU time and their private memory."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Counted", "adopt_orphans", "run_counted"]

# Between two looks at the processes that are known, and at which there are. Each takes time of the
# machine that is measured; the second some milliseconds, if there are many.
_SECONDS, _LOOKS = 0.02, 10
_TICKS = os.sysconf("SC_CLK_TCK")
_PRIVATE = re.compile(r"RssAnon:\s+(\d+) kB")
_BECOME_SUBREAPER = 36
# Fields of /proc/PID/stat, counted from the state.
_PARENT, _USER, _SYSTEM, _BEGAN = 1, 11, 12, 19


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A command that has ended well, and what it took here and on its cluster.

    Attributes
    ----------
    output
        What it printed.
    own
        CPU seconds, user and system, of the command and of all that it started.
    elsewhere
        The same of the cluster meanwhile.
    wall
        Seconds on a clock on the wall.
    private
        Bytes that are in memory and in no file, of the command and of all that it started, at their
        most.
    """

    output: str
    own: float
    elsewhere: float
    wall: float
    private: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return self.own + self.elsewhere

    @property
    def found(self) -> dict[str, Any]:
        """What it printed as JSON."""
        result: dict[str, Any] = json.loads(self.output)
        return result


def adopt_orphans() -> None:
    """Keep the processes below this one whose parent has ended, such as those of Ray."""
    if ctypes.CDLL(None, use_errno=True).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def run_counted(
    root: Path, *arguments: str, of_cluster: Callable[[int], bool] = lambda _: False
) -> Counted:
    """Run ``python ARGUMENTS`` in ``root`` to its end.

    Parameters
    ----------
    root
        The folder.
    arguments
        Of Python.
    of_cluster
        Says of a process below this one, by its id, whether it is one of the cluster's; by default
        none is.

    Raises
    ------
    subprocess.CalledProcessError
        It failed.
    """
    command = [sys.executable, *arguments]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=root, stdout=output)  # noqa: S603
        watch = _Watch(process.pid, of_cluster)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        watch.end()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        text = output.read().decode()
    return Counted(
        output=text,
        own=used.ru_utime + used.ru_stime,
        elsewhere=watch.elsewhere,
        wall=wall,
        private=watch.private,
    )


class _Watch:
    """Looks at the processes below this one while a command runs.

    What a process has used after the last look at it is not counted: at most 20 ms of one that
    ends meanwhile, and of one that lives between two looks for new ones, all.
    """

    def __init__(self, command: int, of_cluster: Callable[[int], bool]) -> None:
        self._command, self._of_cluster = command, of_cluster
        self._first: dict[tuple[int, int], float] = {}
        self._last: dict[tuple[int, int], float] = {}
        self.private = 0
        self._own: set[int] = {command}
        self._cluster: set[int] = set()
        self._ended = threading.Event()
        self._find()
        self._look()
        self._first = dict(self._last)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def elsewhere(self) -> float:
        """CPU seconds of the cluster."""
        return sum(now - self._first.get(key, 0.0) for key, now in self._last.items())

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._find()
        self._look()

    def _run(self) -> None:
        looks = 0
        while not self._ended.wait(_SECONDS):
            looks += 1
            if looks % _LOOKS == 0:
                self._find()
            self._look()

    def _find(self) -> None:
        """Find out which processes there are."""
        found = {pid: process for pid in _pids() if (process := _process(pid))}
        parents = {pid: process.parent for pid, process in found.items()}
        self._own |= _below(parents, self._command)
        others = _below(parents, os.getpid()) - self._own - {os.getpid()}
        self._cluster = {pid for pid in others if self._of_cluster(pid)}

    def _look(self) -> None:
        for pid in self._cluster:
            if process := _process(pid):
                self._last[pid, process.began] = process.seconds
        self.private = max(self.private, sum(map(_private, self._own)))


class _Process(NamedTuple):
    """Parent, time of the start and CPU seconds of a process."""

    parent: int
    began: int
    seconds: float


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def _process(pid: int) -> _Process | None:
    """Return what is known of a process; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    seconds = (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS
    return _Process(int(fields[_PARENT]), int(fields[_BEGAN]), seconds)


def _below(parents: Mapping[int, int], root: int) -> set[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    left = [root] if root in parents else []
    while left:
        pid = left.pop()
        found.add(pid)
        left += children.get(pid, [])
    return found


def _private(pid: int) -> int:
    """Return resident bytes that no file stands behind; 0 for a process that has ended."""
    try:
        found = _PRIVATE.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
