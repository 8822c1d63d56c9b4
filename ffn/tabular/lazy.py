"""Blocks whose positions are worked out when somebody asks for them.

Most records are read and written without most of their positions, and a megabyte less goes
through the processor's cache for each block.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.tabular.blocks import Block, pick
from ffn.tabular.places import Place
from ffn.tabular.structure import Positions

__all__ = ["LineBlock", "TakenBlock"]


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
    _bounds: dict[int, tuple[Positions, Positions]]

    def __init__(
        self, text: bytes, place: Place, line_end: bytes, count: int, columns: int
    ) -> None:
        # Past the fields of the frozen class, as its own __init__ goes.
        vars(self).update(text=text, rejects=(), line_end=line_end)
        vars(self).update(_place=place, _count=count, _columns=columns, _bounds={})

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

    def bounds(self, column: int) -> tuple[Positions, Positions]:
        """As in `Block`."""
        found = self._bounds.get(column)
        if found is None:
            found = self._bounds[column] = self._find_bounds(column)
        return found

    @abstractmethod
    def _find_bounds(self, column: int) -> tuple[Positions, Positions]: ...

    @cached_property
    def cell_starts(self) -> Positions:
        """As in `Block`."""
        return np.stack([self.bounds(column)[0] for column in range(self._columns)])

    @cached_property
    def cell_ends(self) -> Positions:
        """As in `Block`."""
        return np.stack([self.bounds(column)[1] for column in range(self._columns)])

    def take(self, records: npt.NDArray[np.bool_]) -> Block:
        """As in `Block`."""
        return self if records.all() else TakenBlock(self, records)

    def _lines(self) -> bytes:
        return self.text[: self.settled]


class TakenBlock(Block):
    """Some of the records of a block, with no rejects.

    Parameters
    ----------
    block
        All of them.
    records
        Mask [n].
    """

    _block: Block
    _records: npt.NDArray[np.bool_]
    _count: int
    _bounds: dict[int, tuple[Positions, Positions]]

    def __init__(self, block: Block, records: npt.NDArray[np.bool_]) -> None:
        vars(self).update(text=block.text, rejects=(), line_end=block.line_end)
        vars(self).update(_block=block, _records=records, _bounds={})
        vars(self).update(_count=int(np.count_nonzero(records)))

    def __len__(self) -> int:
        return self._count

    @cached_property
    def rows(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.rows, self._records)

    @cached_property
    def lines(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.lines, self._records)

    @cached_property
    def starts(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.starts, self._records)

    @cached_property
    def ends(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.ends, self._records)

    @cached_property
    def stops(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.stops, self._records)

    @cached_property
    def cell_starts(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.cell_starts, self._records)

    @cached_property
    def cell_ends(self) -> Positions:
        """As in `Block`."""
        return pick(self._block.cell_ends, self._records)

    def take(self, records: npt.NDArray[np.bool_]) -> Block:
        """As in `Block`."""
        return self if records.all() else TakenBlock(self, records)

    def bounds(self, column: int) -> tuple[Positions, Positions]:
        """As in `Block`."""
        found = self._bounds.get(column)
        if found is None:
            starts, ends = (pick(own, self._records) for own in self._block.bounds(column))
            found = self._bounds[column] = starts, ends
        return found
