"""Files and folders opened as what they are: never a link, a pipe or a device in their place.

A path says where to look, and somebody else may put something different there at any moment. What
is opened here is checked on the descriptor, which stays with what was opened.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import IO, Any

__all__ = ["SharedFile", "for_child", "open_folder", "open_regular"]

# O_NONBLOCK: to open a pipe would wait for somebody at its other end. Regular files ignore it.
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
    flags, mode
        As for ``os.open``.
    within
        Descriptor of the folder to which ``path`` is relative.

    Raises
    ------
    OSError
        There is none, it may not be opened, or it is something else: for a link, with ``ELOOP``.
    """
    handle = os.open(path, flags | _AS_IT_IS, mode, dir_fd=within)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return handle


def open_folder(path: str | os.PathLike[str], *, within: int | None = None) -> int:
    """Open a folder, not a link to one, and return its descriptor; otherwise as `open_regular`."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | _AS_IT_IS, dir_fd=within)


def for_child(descriptor: int) -> Any:
    """Return an object that takes a descriptor along to a process that is being started.

    There, its ``detach()`` returns the number that the descriptor has. To be used in
    ``__reduce__``, of what is handed to a process as it starts.
    """
    from multiprocessing import reduction

    return reduction.DupFd(descriptor)


class SharedFile:
    """An open file to be read by several at a time, each at a place of its own.

    It goes along to processes that are started, by fork or by spawn, and is the same file there
    whatever its path has become. It does not own its descriptor.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def open(self) -> IO[bytes]:
        """Return a reader that stands at the file's beginning; to close it leaves the file open."""
        return io.BufferedReader(_Positioned(self.descriptor))

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (for_child(self.descriptor),)


def _received(descriptor: Any) -> SharedFile:
    return SharedFile(descriptor.detach())


class _Positioned(io.RawIOBase):
    """Reads by offset: the descriptor's own position, which all its users share, stays."""

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
