"""Open regular files and folders safely: links, pipes and devices are refused.

Another process may replace the file at a path at any moment, so the type is checked on the open
descriptor, not on the path.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from typing import IO, Any

__all__ = [
    "SharedFile",
    "for_child",
    "open_below",
    "open_folder",
    "open_folder_below",
    "open_regular",
]

# O_NONBLOCK: opening a pipe would block until it has a writer. Regular files ignore the flag.
_AS_IT_IS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_regular(
    path: str | os.PathLike[str],
    flags: int = os.O_RDONLY,
    mode: int = 0o666,
    *,
    within: int | None = None,
) -> int:
    """Open a regular file and return its descriptor.

    Parameters
    ----------
    path
        Path of the file.
    flags, mode
        As for ``os.open``.
    within
        Descriptor of the folder to which ``path`` is relative; default: the current folder.

    Raises
    ------
    OSError
        The file does not exist, may not be opened, or is not a regular file (``ELOOP`` for a
        link).
    """
    handle = os.open(path, flags | _AS_IT_IS, mode, dir_fd=within)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return handle


def open_folder(path: str | os.PathLike[str], *, within: int | None = None) -> int:
    """Open a folder that is not a link and return its descriptor; parameters as `open_regular`."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | _AS_IT_IS, dir_fd=within)


def open_below(folder: str | os.PathLike[str], name: str) -> int:
    """Open a regular file below a folder for reading, without following a link on the way.

    Parameters
    ----------
    folder
        Path of the folder, which may be a link.
    name
        Path of the file below it, with slashes.

    Raises
    ------
    OSError
        As for `open_regular` and `open_folder_below`.
    """
    above, _, file = name.rpartition("/")
    at = open_folder_below(folder, above)
    try:
        return open_regular(file, within=at)
    finally:
        os.close(at)


def open_folder_below(folder: str | os.PathLike[str], name: str, *, make: bool = False) -> int:
    """Open a folder below another one, without following a link on the way.

    Parameters
    ----------
    folder
        Path of the upper folder, which may be a link.
    name
        Path below it, with slashes; empty for the folder itself.
    make
        Whether to make what does not exist.

    Raises
    ------
    OSError
        Something on the way does not exist, is a link or no folder, or leads upwards.
    """
    parts = [part for part in name.split("/") if part]
    if {".", ".."}.intersection(parts):
        raise OSError(errno.EINVAL, "not a path below a folder", name)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for below in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(below, dir_fd=at)
            at, above = open_folder(below, within=at), at
            os.close(above)
    except BaseException:
        os.close(at)
        raise
    return at


def for_child(descriptor: int) -> Any:
    """Return an object that passes ``descriptor`` to a child process when pickled at its start.

    In the child, its ``detach()`` returns the number of the inherited descriptor. Use it in the
    ``__reduce__`` of arguments of a new process.
    """
    from multiprocessing import reduction

    return reduction.DupFd(descriptor)


class SharedFile:
    """An open file with any number of independent readers, each with its own position.

    It can be passed to child processes, forked or spawned, which read the same file even if its
    path was replaced.

    Parameters
    ----------
    descriptor
        Descriptor of the file, open for reading; not owned, so never closed here.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def open(self) -> IO[bytes]:
        """Return a new reader at the beginning of the file; closing it leaves the file open."""
        return io.BufferedReader(_Positioned(self.descriptor))

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (for_child(self.descriptor),)


def _received(descriptor: Any) -> SharedFile:
    return SharedFile(descriptor.detach())


class _Positioned(io.RawIOBase):
    """Reads with ``preadv``, which leaves the descriptor's shared position alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._offset = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any, /) -> int:
        size = os.preadv(self._descriptor, [buffer], self._offset)
        self._offset += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset}.get(whence)
        if start is None:
            start = os.fstat(self._descriptor).st_size
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._offset = start + offset
        return self._offset

    def tell(self) -> int:
        return self._offset
