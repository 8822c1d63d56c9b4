"""Blocks whose positions are worked out when somebody asks for them.

Most records are read and written without most of their positions, and a megabyte less goes
through the processor's cache for each block.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.grammar import Positions
from ffn.tabular.csv.parsing.position import Place

__all__ = ["LineBlock"]


class LineBlock(Block):
    """Records that are lines of the same end, one behind another and without rejects.

    What is asked of every record is here; where cells are, subclasses know.

    Parameters
    ----------
    text, line_end
        As in `Block`.
    place
        Where in the file they begin.
    count, columns
        n and C.
    """

    _place: Place
    _count: int
    _columns: int

    def __init__(
        self, text: bytes, place: Place, line_end: bytes, count: int, columns: int
    ) -> None:
        # Past the fields of the frozen class, as its own __init__ goes.
        vars(self).update(text=text, rejects=(), line_end=line_end)
        vars(self).update(_place=place, _count=count, _columns=columns)

    def __len__(self) -> int:
        return self._count

    @cached_property
    def rows(self) -> Positions:
        """As in `Block`."""
        return np.arange(1, self._count + 1) + self._place.rows

    @cached_property
    def lines(self) -> Positions:
        """As in `Block`."""
        return np.arange(1, self._count + 1) + self._place.lines

    @cached_property
    def starts(self) -> Positions:
        """As in `Block`."""
        return np.concatenate(([0], self.stops[:-1]))

    @cached_property
    def ends(self) -> Positions:
        """As in `Block`."""
        ends: Positions = self.stops - len(self.line_end)
        return ends

    @cached_property
    def cell_starts(self) -> Positions:
        """As in `Block`."""
        return np.stack([self.bounds(column)[0] for column in range(self._columns)])

    @cached_property
    def cell_ends(self) -> Positions:
        """As in `Block`."""
        return np.stack([self.bounds(column)[1] for column in range(self._columns)])

    def _lines(self) -> bytes:
        return self.text[: self.consumed]
