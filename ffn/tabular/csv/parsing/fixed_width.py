"""Blocks in which every record has its cells at the same places, as measurements often have."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.tabular.csv.parsing.grammar import Positions
from ffn.tabular.csv.parsing.lazy_blocks import LineBlock
from ffn.tabular.csv.parsing.position import Place

__all__ = ["AlikeBlock", "read_alike"]

_LINE_FEED, _RETURN = b"\n\r"


class AlikeBlock(LineBlock):
    """Records laid out like the first, without quotes.

    Parameters
    ----------
    text
        The records, and nothing else.
    place
        Where in the file they begin.
    cuts
        Where the cells of the first record end [C].
    line_end
        Of every record.
    """

    width: int
    _cuts: Positions

    def __init__(self, text: bytes, place: Place, cuts: Positions, line_end: bytes) -> None:
        width = int(cuts[-1]) + len(line_end)
        super().__init__(text, place, line_end, len(text) // width, len(cuts))
        vars(self).update(width=width, _cuts=cuts)

    @cached_property
    def starts(self) -> Positions:
        """As in `Block`."""
        return np.arange(0, len(self.text), self.width)

    @cached_property
    def stops(self) -> Positions:
        """As in `Block`."""
        return np.arange(self.width, len(self.text) + 1, self.width)

    def _find_bounds(self, column: int) -> tuple[Positions, Positions]:
        start, end = self._cell(column)
        return self.starts + start, self.starts + end

    @property
    def consumed(self) -> int:
        """As in `Block`."""
        return len(self.text)

    @property
    def longest(self) -> int:
        """As in `Block`."""
        return int(self._cuts[-1])

    def cells_alike(self, column: int) -> npt.NDArray[np.uint8]:
        """Return the bytes of a column's cells [n, w]."""
        grid = self.data.reshape(len(self), self.width)
        return grid[:, slice(*self._cell(column))]

    def _cell(self, column: int) -> tuple[int, int]:
        start = 0 if column == 0 else int(self._cuts[column - 1]) + 1
        return start, int(self._cuts[column])


def read_alike(
    text: bytes, place: Place, delimiter: bytes, columns: int, final: bool
) -> AlikeBlock | None:
    """Read the records that begin ``text`` if all are laid out like the first; None if not.

    They are if delimiters and line ends stand in each where they stand in the first, and nowhere
    else. To see that takes a fifth of the time of finding every one of them. Parameters as of
    `read_regular`, whose checks of the text it leaves to it.
    """
    width = text.find(b"\n") + 1
    count = len(text) // max(width, 1)
    if columns == 1 or count < 2 or text[2 * width - 1] != _LINE_FEED or b'"' in text:
        return None
    if final and width * count < len(text):
        return None
    text = text[: width * count]
    line_end = b"\r\n" if text[width - 2] == _RETURN else b"\n"
    data = np.frombuffer(text, dtype=np.uint8)
    for byte in delimiter + (b"\r\n" if b"\r" in text else b"\n"):
        there = (data == byte).tobytes()
        if there != there[:width] * count:
            return None
    cuts = np.append(np.flatnonzero(data[:width] == ord(delimiter)), width - len(line_end))
    if len(cuts) != columns or text.count(b"\r", 0, width) != len(line_end) - 1:
        return None
    return AlikeBlock(text, place, cuts, line_end)
