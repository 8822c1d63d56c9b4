"""Which runs of a pipeline are at work, and which were killed: ``artifacts/<pipeline>/.at-work/``.

A run has a file there, which its process holds locked. It removes the file when it ends; of a
process that is killed the file stays, and the kernel lets its lock go. So whoever looks next knows
at once what no longer lives, without heartbeats or process ids.
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
    """A run that has a file.

    Attributes
    ----------
    what
        ``retrain`` or ``score``.
    begun
        When it began; UTC, ISO 8601.
    done
        Whether it has done its work, and its process has yet to end.
    """

    what: str
    begun: str
    done: bool = False


@contextlib.contextmanager
def at_work(
    artifacts: Path, what: str, begun: str, run: str | None = None, *, until_exit: bool = False
) -> Iterator[None]:
    """Show while the block runs that a run lives.

    Parameters
    ----------
    begun
        UTC, ISO 8601.
    run
        By which ``lives`` knows it; any name by default.
    until_exit
        Show it until the process ends, which has more to do for the run than the block.
    """
    folder, told, file = artifacts / _FOLDER, {"what": what, "begun": begun}, None
    with contextlib.ExitStack() as shown:
        stack = contextlib.ExitStack()
        if until_exit:
            atexit.register(stack.close)
        else:
            shown.enter_context(stack)
        # What cannot be shown, for want of room or of rights, is done all the same.
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
            temporary = folder / temporary_name()
            file = stack.enter_context(temporary.open("xb"))
            stack.callback(temporary.unlink, missing_ok=True)
            # Locked before it has its name: whoever finds it free finds a dead one.
            lock(file)
            path = folder / (run or secrets.token_hex(8))
            temporary.rename(path)
            stack.callback(path.unlink, missing_ok=True)
            # Last, for it is the lock that counts, and a full disk has room for a name.
            file.write(json.dumps(told).encode())
            file.flush()
        try:
            yield
        finally:
            if until_exit and file is not None:
                # Longer than what it replaces.
                with contextlib.suppress(OSError):
                    file.seek(0)
                    file.write(json.dumps({**told, "done": True}).encode())
                    file.flush()


def lives(artifacts: Path, run: str) -> bool:
    """Say whether the process of a run is there."""
    try:
        with open_plain(artifacts / _FOLDER / run) as (file, _):
            return not try_lock(file)
    except OSError:
        return False


def working(artifacts: Path) -> list[LiveRun]:
    """Return the runs that are at work now, those begun first in front."""
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
    """Return the runs that were killed and that nobody has taken note of, the newest first."""
    return [found for found, _ in _dead(artifacts)]


def take_killed(artifacts: Path) -> Iterator[LiveRun]:
    """Yield the same, the oldest first; each is yielded to one caller alone."""
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
            # Where another has taken it meanwhile, it is that one's.
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
