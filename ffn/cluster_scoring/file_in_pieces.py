"""Pieces of a file of another machine, which are read as if they were the file."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FileInPieces", "OutOfReachError"]


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
