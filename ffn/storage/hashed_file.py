"""A file that is written once, from its beginning to its end, and its digest on the way."""

from __future__ import annotations

import hashlib
import os
from typing import IO, Any

__all__ = ["HashedFile"]

_AT_ONCE = 1024 * 1024


class HashedFile:
    """A binary file, written from its beginning to its end, that knows what it was given.

    Attributes
    ----------
    bytes
        So many were written.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0
        self._stored = 0

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Append ``content``."""
        self._file.write(content)
        self._digest.update(content)
        self.bytes += len(content)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def store(self) -> None:
        """Have what came since the last time written to the disk from now on, waiting for nothing.

        Otherwise it would all be written, and waited for, when the file is published.
        """
        self._file.flush()
        if hasattr(os, "posix_fadvise"):
            # What is told to be of no more use is written first, so it stays in memory, too.
            begin, length = self._stored, self.bytes - self._stored
            os.posix_fadvise(self._file.fileno(), begin, length, os.POSIX_FADV_DONTNEED)
        self._stored = self.bytes

    def take_up(self, found: dict[str, Any]) -> bool:
        """Go on after the bytes that the file holds already, if they are those of ``to_json``."""
        content = self._file
        content.seek(0)
        left, size = found["bytes"], 0
        while some := content.read(min(left - size, _AT_ONCE)):
            self._digest.update(some)
            size += len(some)
        self.bytes = self._stored = size
        if self.to_json() == found:
            content.truncate(size)
            content.seek(size)
            return True
        return False

    def start_anew(self) -> None:
        """Drop everything."""
        self._file.seek(0)
        self._file.truncate(0)
        self._digest, self.bytes, self._stored = hashlib.sha256(), 0, 0

    def to_json(self) -> dict[str, int | str]:
        """Return size and SHA-256 of what was written so far."""
        return {"bytes": self.bytes, "sha256": self.sha256}
