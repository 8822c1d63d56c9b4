"""A file being read: its digest, its size, and whether somebody wrote to it meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ffn.errors import DataError
from ffn.storage.descriptors import SharedFile

__all__ = ["STDIN", "Source", "identity", "open_source", "refuse_pipe"]

STDIN = Path("/dev/stdin")
"""Standard input, as a path that errors and manifests can name."""

_READ_AT_ONCE = 1024 * 1024


class Source:
    """A binary stream that knows what has been read from it.

    Parameters
    ----------
    sha256
        Digest that the file is known to have: with another one it has changed.

    Attributes
    ----------
    name
        What errors call it.
    status
        What the system said of it when it was opened.
    size
        Bytes of the file when it was opened; None for a pipe.
    bytes_read
        Bytes read so far; after ``go_to`` the position.
    hashed
        Bytes in the digest so far.
    """

    def __init__(self, file: IO[bytes], name: str, *, sha256: str = "") -> None:
        self._file = file
        self.name = name
        self._digest = hashlib.sha256()
        self._before = sha256
        self.status = os.fstat(file.fileno())
        # What is behind a shell's own reading of it is no file from its beginning.
        regular = stat.S_ISREG(self.status.st_mode) and file.tell() == 0
        self.size = self.status.st_size if regular else None
        self.bytes_read = self.hashed = 0

    @property
    def sha256(self) -> str:
        """Digest of what has been read, in hexadecimal."""
        return self._digest.hexdigest()

    def read(self, size: int) -> bytes:
        """Return 1 to ``size`` bytes, or none at the end.

        Raises
        ------
        DataError
            The file cannot be read, or has grown. (A file that grows faster than it is read
            would have no end.)
        """
        try:
            chunk = self._file.read(size)
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror}.") from None
        # After ``go_to`` some of it has been read before.
        self._digest.update(chunk[max(0, self.hashed - self.bytes_read) :])
        self.bytes_read += len(chunk)
        self.hashed = max(self.hashed, self.bytes_read)
        if self.size is not None and self.bytes_read > self.size:
            raise self._changed()
        return chunk

    def read_through(self) -> str:
        """Return the digest of the whole file, and go back to its beginning.

        Raises
        ------
        DataError
            As ``read`` and ``check_unchanged``.
        """
        while self.read(_READ_AT_ONCE):
            pass
        self.check_unchanged()
        digest = self.sha256
        self.rewind()
        return digest

    def rewind(self) -> None:
        """Begin to read the file anew; what is read then has to be the same."""
        self._file.seek(0)
        self._before = self.sha256
        self._digest = hashlib.sha256()
        self.bytes_read = self.hashed = 0

    def go_to(self, offset: int) -> None:
        """Read on from byte ``offset``; the digest goes on from the last byte that is in it.

        What is skipped is read for the digest, in order.

        Raises
        ------
        DataError
            As ``read``; or the file ends before ``offset``.
        """
        if offset > self.hashed:
            self._file.seek(self.hashed)
            self.bytes_read = self.hashed
            while self.bytes_read < offset:
                if not self.read(min(_READ_AT_ONCE, offset - self.bytes_read)):
                    raise self._changed()
        self._file.seek(offset)
        self.bytes_read = offset

    def begins_with(self, size: int, sha256: str) -> bool:
        """Say whether the first ``size`` bytes, no fewer than were read so far, have a digest."""
        if self.size is None or not self.hashed <= size <= self.size:
            return False
        self.go_to(size)
        return self.sha256 == sha256

    @property
    def identity(self) -> tuple[int, ...]:
        """By which another process knows that it has opened the same file, unchanged."""
        return identity(self.status)

    def peek(self, size: int, offset: int = 0) -> bytes:
        """Return ``size`` bytes of a file, wherever it is read; nothing of a pipe."""
        return b"" if self.size is None else os.pread(self._file.fileno(), size, max(0, offset))

    @property
    def shared(self) -> SharedFile:
        """The open file, for others to read wherever they like while this object has it open."""
        return SharedFile(self._file.fileno())

    def check_untouched(self) -> None:
        """Make sure, of a file that is read in any order, that nobody has written to it.

        Raises
        ------
        DataError
            Somebody has.
        """
        if identity(os.fstat(self._file.fileno())) != self.identity:
            raise self._changed()

    def check_unchanged(self) -> None:
        """Make sure the bytes read are the file, from its beginning to its end.

        Raises
        ------
        DataError
            The file grew, shrank or was written to since it was opened.
        """
        now = os.fstat(self._file.fileno())
        same_time = now.st_mtime_ns == self.status.st_mtime_ns
        if self.size is not None and not (
            same_time and self.bytes_read == self.hashed == now.st_size == self.size
        ):
            raise self._changed()
        if self._before not in ("", self.sha256):
            raise self._changed()

    def _changed(self) -> DataError:
        return DataError(
            f"{self.name} changed while it was read ({self.size:,} bytes when opened). "
            "Try again when nothing writes to it."
        )


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Return what stays the same as long as nobody writes to a file."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def refuse_pipe(path: Path) -> None:
    """Refuse what can be read once only, where a table is read more often.

    Raises
    ------
    DataError
        ``path`` is a device or a pipe.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError(f"{path} is a device or pipe. Give the path of a CSV file.")


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open ``path``, which may be `STDIN`, to be read once, from the beginning.

    Raises
    ------
    DataError
        It does not exist, is a folder, or may not be read.
    """
    try:
        # By its number: to open the path takes rights that reading it does not.
        file = os.fdopen(os.dup(0), "rb") if path == STDIN else path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give the path of a CSV file.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder. Give the path of a CSV file.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read: {reason}.") from None
    with file:
        yield Source(file, str(path))
