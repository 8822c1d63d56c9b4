"""Runs in progress and killed runs of a pipeline, found by lock files.

Each run has a file in ``artifacts/<pipeline>/.at-work/``, which its process keeps locked and
removes when it ends. If the process is killed, the file remains and the kernel releases the lock,
so an unlocked file is that of a killed run. Neither heartbeats nor process ids are needed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ffn.errors import one_line
from ffn.storage.atomic import is_temporary, sweep, temporary_name
from ffn.storage.documents import parse_json
from ffn.storage.locks import lock, try_lock
from ffn.storage.plain_files import open_plain

__all__ = ["LiveRun", "at_work", "killed", "lives", "take_killed", "working"]

_FOLDER = ".at-work"
_LONGEST = 200
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """A run that has a lock file.

    Attributes
    ----------
    what
        ``retrain`` or ``score``.
    begun
        Start time, UTC, ISO 8601.
    done
        Whether it has finished its work while its process is still ending.
    """

    what: str
    begun: str
    done: bool = False


@contextlib.contextmanager
def at_work(
    artifacts: Path, what: str, begun: str, run: str | None = None, *, until_exit: bool = False
) -> Iterator[None]:
    """Hold a lock file while the block runs, so that others can tell this run is alive.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    what
        ``retrain`` or ``score``.
    begun
        Start time, UTC, ISO 8601.
    run
        Name by which `lives` finds the run; a random one by default.
    until_exit
        Hold the file until the process ends, for a process that has more to do for the run after
        the block.
    """
    folder, told, file = artifacts / _FOLDER, {"what": what, "begun": begun}, None
    with contextlib.ExitStack() as shown:
        stack = contextlib.ExitStack()
        if until_exit:
            atexit.register(stack.close)
        else:
            shown.enter_context(stack)
        # The run goes on without a lock file if there is no space or permission for one.
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
            temporary = folder / temporary_name()
            # Without a buffer, which a full disk would refuse once more at the end of the run.
            file = stack.enter_context(temporary.open("xb", buffering=0))
            stack.callback(temporary.unlink, missing_ok=True)
            # Locked before it has its name: whoever finds it free finds a dead one.
            lock(file)
            path = folder / (run or secrets.token_hex(8))
            temporary.rename(path)
            stack.callback(path.unlink, missing_ok=True)
            # Written last, because the lock matters more and works on a full disk, too.
            file.write(json.dumps(told).encode())
        try:
            yield
        finally:
            if until_exit and file is not None:
                # Longer than what it replaces.
                with contextlib.suppress(OSError):
                    file.seek(0)
                    file.write(json.dumps({**told, "done": True}).encode())


def lives(artifacts: Path, run: str) -> bool:
    """Return whether the process of a run, by its name, is alive."""
    try:
        with open_plain(artifacts / _FOLDER / run) as (file, _):
            return not try_lock(file)
    except OSError:
        return False


def working(artifacts: Path) -> list[LiveRun]:
    """Return the runs in progress, the earliest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in (artifacts / _FOLDER).iterdir():
            if is_temporary(path):
                continue
            with contextlib.suppress(OSError), open_plain(path) as (file, _):
                if not try_lock(file):
                    found.append(_read(file))
    return sorted((run for run in found if not run.done), key=lambda run: run.begun)


def killed(artifacts: Path) -> list[LiveRun]:
    """Return the killed runs that have not been recorded yet, the newest first."""
    return [found for found, _ in _dead(artifacts)]


def take_killed(artifacts: Path) -> Iterator[LiveRun]:
    """Yield and remove the killed runs, the oldest first; each is yielded to one caller only."""
    for found, path in reversed(list(_dead(artifacts))):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            yield found


def _dead(artifacts: Path) -> list[tuple[LiveRun, Path]]:
    dead = []
    with contextlib.suppress(OSError):
        for path in (artifacts / _FOLDER).iterdir():
            if is_temporary(path):
                continue
            # Another process may have taken it in the meantime.
            with contextlib.suppress(OSError), open_plain(path) as (file, _):
                if try_lock(file) and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    dead.append((_read(file), path))
    return sorted(dead, key=lambda one: one[0].begun, reverse=True)


def _read(file: IO[bytes]) -> LiveRun:
    found = {}
    with contextlib.suppress(ValueError):
        found = parse_json(file.read(_MOST_BYTES))
    what, begun = (
        one_line(str(found.get(name, "")))[:_LONGEST] if isinstance(found, dict) else ""
        for name in ("what", "begun")
    )
    done = isinstance(found, dict) and found.get("done") is True
    return LiveRun(what=what or "run", begun=begun, done=done)
