"""Cache of folders of arrays: built once, verified when opened, removed when stale.

::

    cache/<name>/
      *.npy, *.json     what was built
      manifest.json     size and SHA-256 of each, written last

An entry's name identifies its inputs, so a complete entry is never out of date. Entries appear by
a rename; when two processes build the same one, the slower uses the other's. Nothing is flushed
to disk: an entry damaged by a power cut does not match its digests, and is built again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

from ffn.errors import DataError
from ffn.quantities import size
from ffn.storage.atomic import staging_folder, sweep, temporary_name
from ffn.storage.descriptors import open_folder
from ffn.storage.documents import canonical_json
from ffn.storage.locks import lock_if_possible, try_lock

__all__ = ["Cache", "CacheEntry", "manifest_sha256", "require_space"]

_MANIFEST = "manifest.json"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


class CacheEntry:
    """A complete entry, locked against removal while this object lives.

    It is pickled as its path: another process opens the same files.

    Parameters
    ----------
    path
        Folder of the entry.

    Raises
    ------
    FileNotFoundError
        The folder does not exist, or was removed before it could be locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self._closed = weakref.finalize(self, os.close, handle)
        # Where nothing can be locked, nothing is removed either.
        lock_if_possible(handle, shared=True)
        if not (path.exists() and path.stat().st_ino == os.fstat(handle).st_ino):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def __reduce__(self) -> tuple[type[CacheEntry], tuple[Path]]:
        return CacheEntry, (self.path,)


class Cache:
    """A folder of cache entries.

    Parameters
    ----------
    folder
        Created with the first entry.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entry(self, name: str, build: Callable[[Path], None]) -> CacheEntry:
        """Return the entry ``name``, building it if it is missing or damaged.

        Parameters
        ----------
        name
            Name of the entry's folder; must identify everything that ``build`` depends on.
        build
            Called with an empty folder, which it fills with files.

        Raises
        ------
        DataError
            The disk is full.
        """
        sweep(self.folder)
        new = False
        while True:
            try:
                entry = CacheEntry(self.folder / name)
            except FileNotFoundError:
                self._build(name, build)
                new = True
                continue
            if new or _is_whole(entry.path):
                return entry
            self._discard(entry.path)

    def find(self, name: str) -> CacheEntry | None:
        """Return the entry ``name``; None if it is missing, or damaged and therefore removed."""
        try:
            entry = CacheEntry(self.folder / name)
        except OSError:
            return None
        if _is_whole(entry.path):
            return entry
        with contextlib.suppress(OSError):
            self._discard(entry.path)
        return None

    def remove_others(self, prefix: str, *names: str) -> None:
        """Remove unused entries other than ``names`` and those whose names begin with ``prefix``.

        Never raises OSError: entries that cannot be removed are left.

        Parameters
        ----------
        prefix
            Prefix of the names to keep; with an empty one only ``names`` are kept.
        *names
            Entries to keep.
        """
        self._remove(lambda name: name in names or bool(prefix and name.startswith(prefix)))

    def remove_beginning(self, prefix: str) -> None:
        """Remove the unused entries whose names begin with ``prefix``, as far as possible."""
        self._remove(lambda name: not name.startswith(prefix))

    def _remove(self, kept: Callable[[str], bool]) -> None:
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if not kept(path.name) and not path.name.startswith("."):
                    self._remove_unused(path)

    def _build(self, name: str, build: Callable[[Path], None]) -> None:
        new = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with staging_folder(self.folder) as staging:
                build(staging)
                files = {path.name: _describe(path) for path in sorted(staging.iterdir())}
                (staging / _MANIFEST).write_bytes(canonical_json(files))
                staging.rename(self.folder / name)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise DataError(
                    f"{self.folder}: {error.strerror} while the training table was converted; "
                    "nothing was kept. Free some space, or give another --root."
                ) from None
            if error.errno not in _TAKEN:
                raise
        finally:
            # A refused table leaves no empty folders.
            with contextlib.suppress(OSError):
                for path in new:
                    path.rmdir()

    def _remove_unused(self, path: Path) -> None:
        handle = open_folder(path)
        try:
            if try_lock(handle):
                self._discard(path)
        finally:
            os.close(handle)

    def _discard(self, path: Path) -> None:
        # Renamed first, so that nobody opens a half-removed entry.
        gone = path.rename(self.folder / temporary_name())
        shutil.rmtree(gone, ignore_errors=True)


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise an error if the disk has too little free space for a file.

    Parameters
    ----------
    folder
        Existing folder on the disk; the message names its parent.
    needed
        Bytes that will be written.
    what
        Subject of the message, such as ``converting the training table``.

    Raises
    ------
    DataError
        Less than ``needed`` bytes are free where ``folder`` is.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{folder.parent}: {what} takes {size(needed)}, and the disk has {size(free)} free. "
            "Free some space, or give another --root."
        )


def manifest_sha256(folder: Path) -> str:
    """Return the SHA-256 of an entry's manifest, which tells it from every entry of other bytes.

    Parameters
    ----------
    folder
        Folder of the entry.

    Raises
    ------
    OSError
        There is none, or it cannot be read.
    """
    return hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()


def _describe(path: Path) -> dict[str, int | str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _is_whole(folder: Path) -> bool:
    """Return whether the folder holds exactly the files of its manifest, with their digests."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        names = {path.name for path in folder.iterdir()} - {_MANIFEST}
        return (
            names == set(manifest)
            and all((folder / name).stat().st_size == manifest[name]["bytes"] for name in names)
            and all(_describe(folder / name) == manifest[name] for name in names)
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
