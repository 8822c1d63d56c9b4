"""A column that has the same cell in every record: one that a file's folder gives."""

from __future__ import annotations

import numpy as np

from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.grammar import Positions

__all__ = ["ConstantBlock"]


class ConstantBlock(Block):
    """Records [n] of which only cells can be asked for, all equal in any column.

    Parameters
    ----------
    cell
        The cell, as UTF-8 without quotes; no NUL.
    count
        Number of records n.
    """

    _count: int

    def __init__(self, cell: bytes, count: int) -> None:
        # Bypasses the frozen dataclass, as its own __init__ does.
        vars(self).update(text=cell, rejects=(), _count=count)

    def __len__(self) -> int:
        return self._count

    def _find_bounds(self, column: int) -> tuple[Positions, Positions]:  # noqa: ARG002
        length = np.full(self._count, len(self.text), dtype=np.int64)
        return np.zeros(self._count, dtype=np.int64), length
