"""Atomic writes: a file or folder appears complete under its final name, or not at all."""

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

# The process id tells leftovers of a dead writer from the work of a running one. It is valid on
# one machine and in one container only; the lock that a writer holds on its file also works
# between machines and containers that share a volume.
_TEMPORARY = re.compile(r"\.ffn-(?P<pid>\d+)-[0-9a-f]+\.tmp")

_AT_ONCE = 1024 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def temporary_name() -> str:
    """Return a unique name that ``sweep`` recognises as an unfinished file of this process."""
    return f".ffn-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def is_temporary(path: Path) -> bool:
    """Return whether ``path`` is named like an unfinished file or folder of any process."""
    return _TEMPORARY.fullmatch(path.name) is not None


def sync_folder(folder: Path) -> None:
    """Flush the entries of ``folder`` to disk, so that renames in it survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove the file ``path`` if it exists, and flush its folder so that it stays removed."""
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


@contextlib.contextmanager
def atomic_files(*paths: Path) -> Iterator[tuple[IO[bytes], ...]]:
    """Open binary files that are renamed to ``paths`` together when the block ends without error.

    The bytes are written to temporary files in the same folders (created if missing) and flushed
    to disk; then all are renamed, in the given order. With several files, the last one marks the
    set as complete: an older one is removed before the first rename. An error before the renames
    leaves every path unchanged. An error or a kill between two renames leaves some paths new,
    some old, and the last one missing.

    Parameters
    ----------
    *paths
        Final names, the completeness mark last. An existing file is replaced.

    Raises
    ------
    IsADirectoryError
        One of ``paths`` is a folder.
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
    """A place that holds temporary files until `publish` renames them."""

    def sync(self, name: str, /) -> None:
        """Flush the file ``name`` to disk."""
        ...

    def rename(self, name: str, target: Path, /) -> None:
        """Rename the file ``name`` to ``target``."""
        ...


class _Anywhere:
    """Temporary files that are named by their full paths."""

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
    """Flush the files ``ready`` to disk, then rename them to ``paths``, in order.

    With several files, the last one marks the set as complete, as in `atomic_files`; a lock on
    its folder keeps two sets that are published there at the same time from mixing.

    Parameters
    ----------
    ready
        Names of the temporary files: full paths, or names in ``holder``.
    paths
        Final names, one for each of ``ready``.
    holder
        Flushes and renames the files; None (the default) if ``ready`` are full paths.
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
def _naming(folder: Path) -> Iterator[None]:
    """Add ``folder`` to an error that its disk is full, of which the system does not say where."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(folder)
        raise


@contextlib.contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a locked file in ``folder``, which is removed at the end unless it was renamed."""
    while True:
        path = folder / temporary_name()
        with _naming(folder), path.open("x+b") as file:
            try:
                if _hold(file.fileno(), path):
                    yield file, path
                    return
            finally:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Create a locked folder in ``parent``, which is removed at the end unless it was renamed."""
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
    """Open a binary file that is renamed to ``path`` when the block ends without an error."""
    with atomic_files(path) as (file,):
        yield file


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically."""
    with atomic_file(path) as file:
        file.write(content)


def sweep(folder: Path, *, files_alone: bool = False) -> list[Path]:
    """Remove temporary files and folders of dead writers from ``folder``.

    A writer is dead if no process has its id and nobody holds a lock on its file. Never raises:
    entries that cannot be removed, or that another sweep removes first, are skipped.

    Parameters
    ----------
    folder
        Only its own entries are swept, not those of subfolders.
    files_alone
        Leave folders alone. Needed where other users may write: they could rename a folder of
        this user so that it looks temporary.

    Returns
    -------
    removed
        Paths of the removed entries, sorted.
    """
    try:
        # Names alone: the folder may hold the outputs of thousands of files.
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
    entries = [folder / name for name in sorted(filter(_TEMPORARY.fullmatch, names))]
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
    """Remove a file or folder unless it is locked; return whether it was removed."""
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
