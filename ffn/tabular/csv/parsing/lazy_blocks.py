"""Blocks that compute positions of records and cells on demand.

Scoring needs few of these positions, which saves about a megabyte of memory traffic for each
block.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.grammar import Positions
from ffn.tabular.csv.parsing.position import Place

__all__ = ["LineBlock"]


class LineBlock(Block):
    """Consecutive single-line records with the same line end, without rejects.

    Positions of records are computed here, those of cells by subclasses.

    Parameters
    ----------
    text, line_end
        As in `Block`.
    place
        Position of the first record in the file.
    count, columns
        Number of records n, and of columns C.
    """

    _place: Place
    _count: int
    _columns: int

    def __init__(
        self, text: bytes, place: Place, line_end: bytes, count: int, columns: int
    ) -> None:
        # Bypasses the frozen dataclass, as its own __init__ does.
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
