"""Binary output file that keeps the SHA-256 of what is written to it."""

from __future__ import annotations

import hashlib
import os
from typing import IO, Any

__all__ = ["HashedFile"]

_AT_ONCE = 1024 * 1024


class HashedFile:
    """A binary file, written sequentially, with the size and SHA-256 of its content.

    Parameters
    ----------
    file
        File open for writing; empty, unless `resume` reads and continues it.

    Attributes
    ----------
    bytes
        Bytes written so far.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0
        self._stored = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Append ``content``."""
        self._file.write(content)
        self._digest.update(content)
        self.bytes += len(content)

    def flush(self) -> None:
        """Pass buffered bytes to the operating system."""
        self._file.flush()

    def store(self) -> None:
        """Start writing the bytes since the last call to disk, without waiting.

        Otherwise publishing the file would have to wait for all of it to be written.
        """
        self._file.flush()
        if hasattr(os, "posix_fadvise"):
            # DONTNEED starts write-back of dirty pages, and drops clean ones only.
            begin, length = self._stored, self.bytes - self._stored
            os.posix_fadvise(self._file.fileno(), begin, length, os.POSIX_FADV_DONTNEED)
        self._stored = self.bytes

    def resume(self, found: dict[str, Any]) -> bool:
        """Continue a file that was written partly, and drop what follows the recorded bytes.

        Parameters
        ----------
        found
            Result of `to_json` at an earlier moment.

        Returns
        -------
        matches
            False if the beginning of the file does not have this size and digest; call
            `restart` then.
        """
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

    def restart(self) -> None:
        """Truncate the file and start from its beginning."""
        self._file.seek(0)
        self._file.truncate(0)
        self._digest, self.bytes, self._stored = hashlib.sha256(), 0, 0

    def to_json(self) -> dict[str, int | str]:
        """Return the size in bytes and SHA-256 of what was written so far."""
        return {"bytes": self.bytes, "sha256": self.sha256}
