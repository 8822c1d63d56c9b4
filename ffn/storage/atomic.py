"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from ffn.storage.descriptors import open_folder, open_regular
from ffn.storage.locks import lock, lock_if_possible, locked_folder

__all__ = [
    "Holder",
    "atomic_file",
    "atomic_files",
    "is_temporary",
    "publish",
    "remove",
    "staging_folder",
    "sweep",
    "sync_folder",
    "temporary_name",
    "write_bytes",
]

# The process id lets a later start tell a dead writer's leftovers from a living one's work. It
# means something on one machine and in one container only: the lock that a writer holds on what
# it writes says the same across all that share a volume.
_TEMPORARY = re.compile(r"\.ffn-(?P<pid>\d+)-[0-9a-f]+\.tmp")

_AT_ONCE = 1024 * 1024


def temporary_name() -> str:
    """Return a new name by which ``sweep`` knows this process's unfinished files and folders."""
    return f".ffn-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def is_temporary(path: Path) -> bool:
    """Say whether a path has the name of somebody's unfinished file or folder."""
    return _TEMPORARY.fullmatch(path.name) is not None


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file, if it is there, so that it stays away after a power cut."""
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


@contextlib.contextmanager
def atomic_files(*paths: Path) -> Iterator[tuple[IO[bytes], ...]]:
    """Open binary files that take the names ``paths`` together, when the block ends without error.

    The bytes go to temporary files in the same folders (which are made if need be) and are
    flushed to disk; only then are all renamed, in the order given. Of several, the last is a
    mark that the others are there and belong to it: an older one is removed before the first
    rename. An error before that, in the block above all, leaves every path as it was. An error
    or a death between the renames leaves some paths new, some old, and no mark.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with contextlib.ExitStack() as stack:
        files = tuple(stack.enter_context(_temporary_file(path.parent)) for path in paths)
        yield tuple(file for file, _ in files)
        for file, _ in files:
            file.flush()
        publish([str(temporary) for _, temporary in files], paths)


class Holder(Protocol):
    """Where files are that are to be published."""

    def sync(self, name: str, /) -> None:
        """Force a file to the disk."""
        ...

    def rename(self, name: str, target: Path, /) -> None:
        """Give a file the name ``target``."""
        ...


class _Anywhere:
    """Files by their full names."""

    @staticmethod
    def sync(name: str, /) -> None:
        handle = os.open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @staticmethod
    def rename(name: str, target: Path, /) -> None:
        Path(name).replace(target)


def publish(ready: Sequence[str], paths: Sequence[Path], holder: Holder | None = None) -> None:
    """Force the files ``ready`` to the disk and give them the names ``paths``, in their order.

    They are names in ``holder``, or full names where there is none.
    Of several, the last is a mark: see ``atomic_files``. Who publishes several into one folder
    at the same time waits, so that no mark stands beside files of another.
    """
    files = holder or _Anywhere()
    for file in ready:
        files.sync(file)
    with contextlib.ExitStack() as held:
        if len(paths) > 1:
            held.enter_context(locked_folder(paths[-1].parent))
            remove(paths[-1])
        for file, path in zip(ready, paths, strict=True):
            files.rename(file, path)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


@contextlib.contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a locked file in ``folder`` that is removed in the end if it still has its name."""
    while True:
        path = folder / temporary_name()
        with path.open("x+b") as file:
            try:
                if _hold(file.fileno(), path):
                    yield file, path
                    return
            finally:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Make a locked folder in ``parent`` to be filled and renamed; removed if it was not."""
    while True:
        folder = parent / temporary_name()
        folder.mkdir()
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # swept before it could be locked
            continue
        try:
            if _hold(handle, folder):
                yield folder
                return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def _hold(handle: int, path: Path) -> bool:
    """Lock what was just made at ``path``; False if somebody swept it before it was locked."""
    # Where nothing can be locked, nothing is swept either.
    lock_if_possible(handle)
    return path.exists()


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name ``path`` only when the block ends without an error."""
    with atomic_files(path) as (file,):
        yield file


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all."""
    with atomic_file(path) as file:
        file.write(content)


def sweep(folder: Path, *, files_alone: bool = False) -> list[Path]:
    """Remove what dead writers left in ``folder`` and return it; leave living writers' work.

    With ``files_alone`` folders stay: where others may write, too, they could give one of this
    user's such a name.

    A writer is dead if no process has its number and nobody holds a lock on what it wrote.
    What cannot be removed stays: housekeeping never raises, also where others sweep at the
    same time.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        entry
        for entry in entries
        if _is_left(entry)
        and not (files_alone and entry.is_dir() and not entry.is_symlink())
        and _remove_unlocked(entry)
    ]


def _is_left(entry: Path) -> bool:
    match = _TEMPORARY.fullmatch(entry.name)
    return match is not None and not _alive(int(match["pid"]))


def _remove_unlocked(entry: Path) -> bool:
    """Remove a file or folder that nobody has locked; say whether it was done."""
    try:
        folder = entry.is_dir()
        handle = open_folder(entry) if folder else open_regular(entry, os.O_RDWR)
    except OSError:
        return False
    try:
        lock(handle, wait=False)
        shutil.rmtree(entry) if folder else entry.unlink()
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
