"""The hidden work folder beside an output, in which a run writes its files.

Other users may be able to write to its parent folder, and its name is predictable. So an existing
folder is used only if this user owns it and nobody else can write to it, a new one is accessible to
its owner only, and its files are opened through the folder's descriptor, so that replacing the
folder has no effect.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from ffn.errors import DataError
from ffn.storage.descriptors import for_child, open_folder, open_regular
from ffn.storage.locks import lock, locked_folder

__all__ = ["UNFINISHED", "WorkFolder", "own_work_folder", "work_folder_path"]

UNFINISHED = ".ffn-unfinished"
"""What the names of work folders end with."""

# Names of the files that runs create, also those of earlier versions of this program.
_OURS = re.compile(
    r"journal\.[01]|output|packed|rejects|manifest|pending|\d+\.(output|rejects)"
    r"|[0-9a-f]{24}\.(output|rejects|part)"
    r"|[0-9a-f]{24}\.[0-9a-f]{16}\.(output|rejects)|[0-9a-f]{32}\.shared"
)
# Of these, the ones that workers of a cluster write, and that by which they recognise the folder.
_OF_WORKERS = re.compile(r"[0-9a-f]{24}\.[0-9a-f]{16}\.\w+|[0-9a-f]{32}\.shared")
# Of these, the ones that a later run goes on from.
_NOTES = re.compile(r"journal\.[01]|pending|[0-9a-f]{24}\.part")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# Worker processes of a killed run hold its lock until they have noticed that it is gone.
_SECONDS_TO_LET_GO = 1.0
_AT_ONCE = 1024 * 1024


class WorkFolder:
    """An open work folder; create it with `opened`. It can be sent to processes as they start.

    Parameters
    ----------
    path
        Path of the folder.
    descriptor
        Descriptor of the open folder, through which all files are opened.

    Attributes
    ----------
    path
        Path of the folder, for errors.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[WorkFolder]:
        """Open and lock the folder at ``path`` while the block runs.

        Raises
        ------
        DataError
            It is a link or not a folder, belongs to another user, or other users can write to
            it.
        BlockingIOError
            Another process has locked it.
        FileNotFoundError
            It does not exist.
        """
        with cls.joined(path) as folder:
            lock(folder._descriptor, wait=False)
            # Earlier versions of this program created it with the default permissions.
            if stat.S_IMODE(os.fstat(folder._descriptor).st_mode) != stat.S_IRWXU:
                os.fchmod(folder._descriptor, stat.S_IRWXU)
            yield folder

    @classmethod
    @contextlib.contextmanager
    def joined(cls, path: Path) -> Iterator[WorkFolder]:
        """Open the folder at ``path`` while the block runs, for the process that has locked it.

        Raises
        ------
        DataError, FileNotFoundError
            As for `opened`.
        """
        try:
            folder = cls(path, open_folder(path))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _not_ours(path, "is a link or not a folder") from None
            if error.errno in (errno.EACCES, errno.EPERM):
                raise _not_ours(path, "is not accessible to this user") from None
            raise
        try:
            status = os.fstat(folder._descriptor)
            if status.st_uid != os.geteuid():
                raise _not_ours(path, "belongs to another user")
            if status.st_mode & _OTHERS_MAY_WRITE:
                raise _not_ours(path, "can be written by other users")
            yield folder
        finally:
            os.close(folder._descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self.path, for_child(self._descriptor))

    def is_there(self) -> bool:
        """Return whether the path still leads to this folder."""
        with contextlib.suppress(OSError):
            return os.path.samestat(self.path.lstat(), os.fstat(self._descriptor))
        return False

    def read(self, name: str) -> IO[bytes]:
        """Open the file ``name`` for reading."""
        return os.fdopen(self._open(name, os.O_RDONLY), "rb")

    def write(self, name: str) -> IO[bytes]:
        """Open the file ``name`` for writing; it is created if missing, but not truncated."""
        return os.fdopen(self._open(name, os.O_WRONLY | os.O_CREAT), "wb")

    def update(self, name: str) -> Any:
        """Open the file ``name`` for reading and writing; created if missing, not truncated."""
        return os.fdopen(self._open(name, os.O_RDWR | os.O_CREAT), "r+b")

    def unlink(self, name: str) -> None:
        """Delete the file ``name`` if it exists."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def rename(self, name: str, target: Path, *, within: int | None = None) -> None:
        """Move the file ``name`` out of the folder.

        Parameters
        ----------
        name
            Name of the file.
        target
            Its new path.
        within
            Descriptor of the folder to which ``target`` is relative; default: the current folder.
        """
        os.rename(name, target, src_dir_fd=self._descriptor, dst_dir_fd=within)

    def settle(self, name: str, final: str) -> None:
        """Give the file ``name`` another name in the folder; a file that has it is replaced."""
        self.rename(name, Path(final), within=self._descriptor)

    def holds(self, name: str) -> bool:
        """Return whether there is a plain file ``name`` of this user."""
        with contextlib.suppress(OSError):
            os.close(self._open(name, os.O_RDONLY))
            return True
        return False

    def digest(self, name: str) -> str:
        """Return the SHA-256 of the file ``name``, in hexadecimal."""
        digest = hashlib.sha256()
        with self.read(name) as file:
            while some := file.read(_AT_ONCE):
                digest.update(some)
        return digest.hexdigest()

    def keep_only(self, kept: Collection[str]) -> None:
        """Delete the files of a run, but not those in ``kept``."""
        for name in filter(_OURS.fullmatch, self._names()):
            if name not in kept:
                self.unlink(name)

    def sweep_workers(self) -> None:
        """Delete what workers of earlier runs have left; they may still be at work."""
        for name in filter(_OF_WORKERS.fullmatch, self._names()):
            self.unlink(name)

    def sync(self, name: str) -> None:
        """Force the file ``name`` to the disk."""
        handle = self._open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def noted(self) -> float:
        """Return the time of the last checkpoint, in seconds since 1970; 0 if there is none."""
        times = [0.0]
        for name in self._names():
            if _NOTES.fullmatch(name):
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
                    times.append(status.st_mtime)
        return max(times)

    def remove(self) -> None:
        """Delete the files of a run, and the folder if nothing else is in it; never raises.

        If a folder of the user happens to have this name, its other files are kept.
        """
        with contextlib.suppress(OSError):
            for name in filter(_OURS.fullmatch, self._names()):
                os.unlink(name, dir_fd=self._descriptor)
            if self.is_there():
                self.path.rmdir()

    def _names(self) -> list[str]:
        return os.listdir(self._descriptor)  # noqa: PTH208

    def _open(self, name: str, flags: int) -> int:
        # Output and rejects are moved out of the folder, so they get the default permissions.
        handle = open_regular(name, flags, within=self._descriptor)
        status = os.fstat(handle)
        if status.st_uid == os.geteuid() and status.st_nlink == 1:
            return handle
        os.close(handle)
        raise OSError(errno.EPERM, "not a file of this run", str(self.path / name))


def work_folder_path(output: Path) -> Path:
    """Return the path of the work folder of runs that write ``output``."""
    return output.with_name(f".{output.name}{UNFINISHED}")


@contextlib.contextmanager
def own_work_folder(output: Path) -> Iterator[WorkFolder]:
    """Create or find the work folder of runs that write ``output``, and lock it for the block.

    Parameters
    ----------
    output
        The final file or folder.

    Raises
    ------
    DataError
        Another run is writing it, or the folder cannot be trusted.
    """
    folder, deadline = work_folder_path(output), time.monotonic() + _SECONDS_TO_LET_GO
    while time.monotonic() < deadline:
        with contextlib.ExitStack() as stack:
            # `sweep_journals` locks work folders, too, but only while it holds this lock.
            with locked_folder(folder.parent):
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=0o700)
                found = _try_to_lock(folder, stack)
            if found is not None:
                yield found
                return
        time.sleep(0.02)
    raise DataError(
        f"{output} is being written by another run. Wait for it, or give another output."
    )


def _try_to_lock(path: Path, stack: contextlib.ExitStack) -> WorkFolder | None:
    """Lock a folder until ``stack`` ends; None if another run has locked or removed it."""
    try:
        folder = stack.enter_context(WorkFolder.opened(path))
    except (FileNotFoundError, BlockingIOError):
        return None
    return folder if folder.is_there() else None


def _received(path: Path, descriptor: Any) -> WorkFolder:
    return WorkFolder(path, descriptor.detach())


def _not_ours(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} {why}, but it is the folder for unfinished output. Remove it, or give an output "
        "in another folder."
    )
