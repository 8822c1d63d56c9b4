"""Input stream with a running SHA-256, which detects changes to the file while it is read."""

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
"""Standard input as a path, for errors and manifests."""

_READ_AT_ONCE = 1024 * 1024


class Source:
    """A binary stream that hashes what is read and checks that the file does not change.

    Parameters
    ----------
    file
        Stream to read, open in binary mode.
    name
        Name of the stream in errors.
    sha256
        Expected digest of the file, in hexadecimal; empty (the default) if it is not known.

    Attributes
    ----------
    name
        Name of the stream in errors.
    status
        Result of ``os.fstat`` when the stream was opened.
    size
        Size of the file in bytes when it was opened; None for a pipe.
    bytes_read
        Bytes read so far; after `go_to`, the position.
    hashed
        Bytes included in the digest so far.
    """

    def __init__(self, file: IO[bytes], name: str, *, sha256: str = "") -> None:
        self._file = file
        self.name = name
        self._digest = hashlib.sha256()
        self._before = sha256
        self.status = os.fstat(file.fileno())
        # A shell may have read the first lines of its script or input; the rest is not a file.
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
            The file cannot be read, or has grown. (Reading a file that grows faster than it is
            read would never end.)
        """
        try:
            chunk = self._file.read(size)
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror}.") from None
        # After `go_to`, some of these bytes are in the digest already.
        self._digest.update(chunk[max(0, self.hashed - self.bytes_read) :])
        self.bytes_read += len(chunk)
        self.hashed = max(self.hashed, self.bytes_read)
        if self.size is not None and self.bytes_read > self.size:
            raise self._changed()
        return chunk

    def read_through(self) -> str:
        """Return the SHA-256 of the whole file, in hexadecimal, and rewind it.

        Raises
        ------
        DataError
            As for `read` and `check_unchanged`.
        """
        while self.read(_READ_AT_ONCE):
            pass
        self.check_unchanged()
        digest = self.sha256
        self.rewind()
        return digest

    def rewind(self) -> None:
        """Go back to the beginning; `check_unchanged` then also compares both readings."""
        self._file.seek(0)
        self._before = self.sha256
        self._digest = hashlib.sha256()
        self.bytes_read = self.hashed = 0

    def go_to(self, offset: int) -> None:
        """Continue reading at byte ``offset``.

        Bytes that are skipped are read and hashed; bytes that are read again are not hashed
        twice.

        Raises
        ------
        DataError
            As for `read`; or the file ends before ``offset``.
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
        """Return whether the first ``size`` bytes have the digest ``sha256``, in hexadecimal.

        False for a pipe, and if more than ``size`` bytes have been hashed.
        """
        if self.size is None or not self.hashed <= size <= self.size:
            return False
        self.go_to(size)
        return self.sha256 == sha256

    @property
    def identity(self) -> tuple[int, ...]:
        """The `identity` of the file when opened, by which another process recognises it."""
        return identity(self.status)

    def peek(self, size: int, offset: int = 0) -> bytes:
        """Return up to ``size`` bytes at ``offset`` without moving; empty for a pipe."""
        return b"" if self.size is None else os.pread(self._file.fileno(), size, max(0, offset))

    @property
    def shared(self) -> SharedFile:
        """The open file for independent readers; valid while this object's file is open."""
        return SharedFile(self._file.fileno())

    def check_untouched(self) -> None:
        """Check that a file that is read in any order was not written to.

        Raises
        ------
        DataError
            Its size, modification time or inode changed.
        """
        if identity(os.fstat(self._file.fileno())) != self.identity:
            raise self._changed()

    def check_unchanged(self) -> None:
        """Check that the bytes read are the whole, unchanged file.

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
            "Try again when nothing is writing to it."
        )


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Return device, inode, size and modification time (ns) of a file from its ``status``.

    They change when the file is replaced or written to.
    """
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def refuse_pipe(path: Path) -> None:
    """Refuse devices and pipes, where a table has to be read more than once.

    Raises
    ------
    DataError
        ``path`` is a device or a pipe.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError(f"{path} is a device or pipe. Give the path of a CSV file.")


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open ``path``, or standard input for `STDIN`, as a `Source`.

    Raises
    ------
    DataError
        The path does not exist, is a folder, or may not be read.
    """
    try:
        # By descriptor: opening the path may need permissions that reading it does not.
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
