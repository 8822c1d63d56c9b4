"""Reading position in a file, and counts of how its records were read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Counts", "Mark", "Place"]


class Place(NamedTuple):
    """Reading position, in rows and lines.

    Attributes
    ----------
    rows
        Number of records so far, good and rejected.
    lines
        Number of line ends so far.
    blank_lines
        Number of empty lines so far.
    after_stray
        Whether the last line end was not of the file's kind.
    """

    rows: int
    lines: int
    blank_lines: int = 0
    after_stray: bool = False

    def followed_by(self, more: Place) -> Place:
        """Return this position advanced by ``more``."""
        return Place(
            self.rows + more.rows,
            self.lines + more.lines,
            self.blank_lines + more.blank_lines,
            more.after_stray,
        )


class Mark(NamedTuple):
    """Position at which a record begins: all that a reader needs to continue there.

    Attributes
    ----------
    offset
        Byte offset in the file; valid for UTF-8 files only.
    place
        Rows and lines before it.
    """

    offset: int
    place: Place


class Counts(NamedTuple):
    """Numbers of blocks and records, by the way they were read.

    Attributes
    ----------
    blocks
        All blocks.
    regular
        Blocks read on the fast path, by `read_regular`.
    fixed_width
        Blocks of fixed-width records among them, `FixedWidthBlock`.
    careful
        Records read one by one.
    """

    blocks: int = 0
    regular: int = 0
    fixed_width: int = 0
    careful: int = 0
