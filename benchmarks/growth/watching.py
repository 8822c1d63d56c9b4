"""The private memory of a program and of the processes that it starts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Watched", "watch"]

# Often enough that what is there for less is no need of the program's.
_SECONDS = 0.01
_PRIVATE = re.compile(r"RssAnon:\s+(\d+) kB")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a program printed as JSON, and its peak of private memory.

    Attributes
    ----------
    private
        Bytes that are in memory and in no file, of all its processes together, at their most.
    largest
        The same of the one process that had most.
    """

    found: dict[str, Any]
    private: int
    largest: int


def watch(module: str, *arguments: str, root: Path) -> Watched:
    """Run ``python -m module`` in ``root`` to its end.

    Raises
    ------
    subprocess.CalledProcessError
        It failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603
        command, cwd=root, stdout=subprocess.PIPE, text=True
    ) as program:
        private = largest = 0
        while program.poll() is None:
            each = [_private(pid) for pid in _family(program.pid)]
            private, largest = max(private, sum(each)), max(largest, *each, 0)
            time.sleep(_SECONDS)
        output = program.stdout.read() if program.stdout else ""
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return Watched(found=json.loads(output), private=private, largest=largest)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(int(child)))]


def _private(pid: int) -> int:
    """Return resident bytes that no file stands behind; 0 for a process that has ended."""
    try:
        found = _PRIVATE.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
