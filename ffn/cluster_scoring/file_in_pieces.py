"""Pieces of a file of another machine, which are read as if they were the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, Any, Self, cast

from ffn.storage.descriptors import SharedFile
from ffn.storage.source import Source

__all__ = ["FileInPieces", "OutOfReachError", "SourceInPieces"]


class OutOfReachError(Exception):
    """What is to be read is in no piece."""


class FileInPieces:
    """A file of which some bytes are there; reading others is an error, never zeros or its end.

    Parameters
    ----------
    pieces
        Offset in the file, and bytes, of each piece.
    size
        Size of the file.
    """

    def __init__(self, pieces: Sequence[tuple[int, bytes]], size: int) -> None:
        self._pieces, self._size = pieces, size
        self._offset = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        """There is nothing to close."""

    def seek(self, offset: int, /) -> int:
        """Continue at byte ``offset``."""
        self._offset = offset
        return offset

    def read(self, size: int, /) -> bytes:
        """Return 1 to ``size`` bytes, none at the end of the file.

        Raises
        ------
        OutOfReachError
            The next byte is in no piece.
        """
        if self._offset >= self._size:
            return b""
        for begin, content in self._pieces:
            if begin <= self._offset < begin + len(content):
                at = self._offset - begin
                some = content[at : at + size]
                self._offset += len(some)
                return some
        raise OutOfReachError(f"byte {self._offset}")


class SourceInPieces(Source):
    """Pieces of a file as the input of a part, which is read in any order.

    Parameters
    ----------
    pieces, size
        As for `FileInPieces`.
    name
        Name of the file in errors.
    """

    def __init__(self, pieces: Sequence[tuple[int, bytes]], size: int, name: str) -> None:
        self._pieces = pieces
        self.name = name
        self.size = size
        # Of a file of another machine, which looks at it itself.
        self.status = os.stat_result((0, 0, 0, 0, 0, 0, size, 0, 0, 0))
        self.bytes_read = self.hashed = 0

    @property
    def shared(self) -> SharedFile:
        """The pieces for independent readers."""
        return _SharedPieces(self._pieces, self.size or 0)

    def peek(self, size: int, offset: int = 0) -> bytes:
        """Return up to ``size`` bytes at ``offset``; raise `OutOfReachError` if there are none."""
        file = FileInPieces(self._pieces, self.size or 0)
        file.seek(offset)
        return file.read(size)

    def check_untouched(self) -> None:
        """Do nothing: who has sent the pieces looks at the file."""


class _SharedPieces(SharedFile):
    def __init__(self, pieces: Sequence[tuple[int, bytes]], size: int) -> None:
        self._pieces, self._size = pieces, size

    def open(self) -> IO[bytes]:
        return cast(IO[bytes], FileInPieces(self._pieces, self._size))
