"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

__all__ = [
    "atomic_file",
    "atomic_files",
    "canonical_json",
    "sweep",
    "sync_folder",
    "temporary_name",
    "write_bytes",
    "write_json",
]

# The process id lets a later start tell a dead writer's leftovers from a living one's work.
_TEMPORARY = re.compile(r"\.ffn-(?P<pid>\d+)-[0-9a-f]+\.tmp")


def temporary_name() -> str:
    """Return a new name by which ``sweep`` knows this process's unfinished files and folders."""
    return f".ffn-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_files(*paths: Path) -> Iterator[tuple[IO[bytes], ...]]:
    """Open binary files that take the names ``paths`` together, when the block ends without error.

    The bytes go to temporary files in the same folders (which are made if need be) and are
    flushed to disk; only then are all renamed, in the order given. The last one is thus a
    mark that the others are there. On an error the temporary files are removed and every
    path is as it was.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporaries = [path.parent / temporary_name() for path in paths]
    try:
        with contextlib.ExitStack() as stack:
            files = tuple(stack.enter_context(path.open("x+b")) for path in temporaries)
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for temporary, path in zip(temporaries, paths, strict=True):
            temporary.replace(path)
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name ``path`` only when the block ends without an error."""
    with atomic_files(path) as (file,):
        yield file


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all."""
    with atomic_file(path) as file:
        file.write(content)


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as JSON bytes that depend on nothing but the value (UTF-8, one newline)."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as canonical JSON to ``path``, whole or not at all."""
    write_bytes(path, canonical_json(value))


def sweep(folder: Path) -> list[Path]:
    """Remove what dead writers left in ``folder`` and return it; leave living writers' work."""
    removed = []
    for entry in folder.iterdir() if folder.is_dir() else ():
        match = _TEMPORARY.fullmatch(entry.name)
        if match and not _alive(int(match["pid"])):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
            removed.append(entry)
    return removed


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
