"""Open regular files and folders safely: links, pipes and devices are refused.

Another process may replace the file at a path at any moment, so the type is checked on the open
descriptor, not on the path.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import IO, Any

__all__ = ["SharedFile", "for_child", "open_folder", "open_regular"]

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
