"""The files that lie in an inbox, as a listing of the folder has them."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path

from ffn.scoring.gathering import is_table_name, output_name
from ffn.scoring.ledger import Stamp
from ffn.scoring.targets import COMPANIONS

__all__ = ["list_tables", "quiet_for", "stamp_of"]

_NANOSECONDS = 1_000_000_000


def list_tables(inbox: Path) -> tuple[dict[str, Stamp], dict[str, str]]:
    """Return the tables by name, and the reasons against those that can be none."""
    found: dict[str, Stamp] = {}
    refused: dict[str, str] = {}
    try:
        entries = list(os.scandir(inbox))
    except FileNotFoundError:
        return found, refused
    for entry in entries:
        if not is_table_name(entry.name):
            continue
        with contextlib.suppress(FileNotFoundError):
            state = entry.stat(follow_symlinks=False)
            reason = _why_not(entry.name, state)
            if reason:
                refused[entry.name] = reason
            else:
                found[entry.name] = _as_stamp(state)
    outputs: dict[str, str] = {}
    for name in sorted(found):
        first = outputs.setdefault(output_name(name), name)
        if first != name:
            refused[name] = f"its output would be that of {first}; rename it"
    return {name: stamp for name, stamp in found.items() if name not in refused}, refused


def _why_not(name: str, state: os.stat_result) -> str:
    if not stat.S_ISREG(state.st_mode):
        return "it is a link, a folder or a device; put a file there"
    if name.lower().endswith(COMPANIONS):
        return "its output could take the name of another file's rejects; rename it"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8; rename it"
    return ""


def _as_stamp(state: os.stat_result) -> Stamp:
    return Stamp(size=state.st_size, modified=state.st_mtime_ns, changed=state.st_ctime_ns)


def stamp_of(path: Path) -> Stamp | None:
    """Return what a file looks like now; None if it is not there."""
    try:
        return _as_stamp(path.lstat())
    except OSError:
        return None


def quiet_for(stamp: Stamp) -> float:
    """Return the seconds for which a file has been as it is, by the machine's clock."""
    return time.time() - max(stamp.modified, stamp.changed) / _NANOSECONDS
