"""The hidden work folder beside an output, in which a run writes its files.

Other users may be able to write to its parent folder, and its name is predictable. So an existing
folder is used only if this user owns it and nobody else can write to it, a new one is accessible to
its owner only, and its files are opened through the folder's descriptor, so that replacing the
folder has no effect.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ffn.errors import DataError
from ffn.storage.descriptors import for_child, open_folder, open_regular
from ffn.storage.locks import lock

__all__ = ["WorkFolder"]

# What runs put there, of this version and of earlier ones.
_OURS = re.compile(r"journal\.[01]|output|packed|rejects|manifest|\d+\.(output|rejects)")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class WorkFolder:
    """A work folder, open. It goes along to processes as they are started.

    Attributes
    ----------
    path
        Its name, for errors.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[WorkFolder]:
        """Open the folder at ``path`` and lock it.

        Raises
        ------
        DataError
            It is a link, no folder, another user's, or one that others may write into.
        BlockingIOError
            Somebody has locked it.
        FileNotFoundError
            It is not there.
        """
        try:
            folder = cls(path, open_folder(path))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _not_ours(path, "is a link or no folder") from None
            if error.errno in (errno.EACCES, errno.EPERM):
                raise _not_ours(path, "is closed to this user") from None
            raise
        try:
            status = os.fstat(folder._descriptor)
            if status.st_uid != os.geteuid():
                raise _not_ours(path, "belongs to another user")
            if status.st_mode & _OTHERS_MAY_WRITE:
                raise _not_ours(path, "can be written by other users")
            lock(folder._descriptor, wait=False)
            # Earlier versions made it with the user's usual rights.
            if stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
                os.fchmod(folder._descriptor, stat.S_IRWXU)
            yield folder
        finally:
            os.close(folder._descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self.path, for_child(self._descriptor))

    def is_there(self) -> bool:
        """Say whether the folder still has its name."""
        with contextlib.suppress(OSError):
            return os.path.samestat(self.path.lstat(), os.fstat(self._descriptor))
        return False

    def read(self, name: str) -> IO[bytes]:
        """Open one of its files to read."""
        return os.fdopen(self._open(name, os.O_RDONLY), "rb")

    def write(self, name: str) -> IO[bytes]:
        """Open one of its files to write over what it holds, which is not cut off."""
        return os.fdopen(self._open(name, os.O_WRONLY | os.O_CREAT), "wb")

    def update(self, name: str) -> Any:
        """Open one of its files to read and write over what it holds."""
        return os.fdopen(self._open(name, os.O_RDWR | os.O_CREAT), "r+b")

    def unlink(self, name: str) -> None:
        """Remove a file if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def rename(self, name: str, target: Path) -> None:
        """Give a file the name ``target``, outside of the folder."""
        os.rename(name, target, src_dir_fd=self._descriptor)

    def sync(self, name: str) -> None:
        """Force a file to the disk."""
        handle = self._open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def noted(self) -> float:
        """Return when a run last wrote down how far it is, in seconds since 1970; 0 if none did."""
        times = [0.0]
        for name in self._names():
            if name.startswith("journal."):
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
                    times.append(status.st_mtime)
        return max(times)

    def remove(self) -> None:
        """Remove the files of a run, and the folder if nothing else is in it; never raises.

        A folder of the user's that was given this name keeps what it holds.
        """
        with contextlib.suppress(OSError):
            for name in filter(_OURS.fullmatch, self._names()):
                os.unlink(name, dir_fd=self._descriptor)
            if self.is_there():
                self.path.rmdir()

    def _names(self) -> list[str]:
        return os.listdir(self._descriptor)  # noqa: PTH208

    def _open(self, name: str, flags: int) -> int:
        # Output and rejects leave the folder, with the rights that any new file would have.
        handle = open_regular(name, flags, within=self._descriptor)
        status = os.fstat(handle)
        if status.st_uid == os.geteuid() and status.st_nlink == 1:
            return handle
        os.close(handle)
        raise OSError(errno.EPERM, "not a file of this run", str(self.path / name))


def _received(path: Path, descriptor: Any) -> WorkFolder:
    return WorkFolder(path, descriptor.detach())


def _not_ours(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} {why}, and is the place for what is not finished. Remove it, or give an output in "
        "another folder."
    )
