"""How far a file has been read, and how."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Counts", "Mark", "Place"]


class Place(NamedTuple):
    """How far a file has been read.

    Attributes
    ----------
    rows
        Records so far, good and bad.
    lines
        Line ends so far.
    blank_lines
        Lines with nothing on them so far.
    after_stray
        True if the last line end was not one of the file's kind.
    """

    rows: int
    lines: int
    blank_lines: int = 0
    after_stray: bool = False

    def followed_by(self, more: Place) -> Place:
        """Return the place that is ``more`` beyond this one."""
        return Place(
            self.rows + more.rows,
            self.lines + more.lines,
            self.blank_lines + more.blank_lines,
            more.after_stray,
        )


class Mark(NamedTuple):
    """Where a record begins.

    Attributes
    ----------
    offset
        Bytes of the file before it; means something in UTF-8 only.
    place
        The same in rows and lines. A reader knows nothing else of what came before.
    """

    offset: int
    place: Place


class Counts(NamedTuple):
    """How records were read.

    Attributes
    ----------
    blocks
        Blocks in all.
    regular
        Blocks read by `read_regular`.
    alike
        Those of them that are an `AlikeBlock`.
    careful
        Records read one by one.
    """

    blocks: int = 0
    regular: int = 0
    alike: int = 0
    careful: int = 0
