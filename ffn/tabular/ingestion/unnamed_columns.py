"""Columns without a name: empty ones from spreadsheets, a row index from pandas or R."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ffn.errors import DataError, quote
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import shown
from ffn.tabular.columns.parsers import Cell
from ffn.tabular.csv.parsing.blocks import Block

__all__ = ["UnnamedColumns"]


class UnnamedColumns:
    """Check of the unnamed columns of a training table, which are never features.

    Parameters
    ----------
    names
        Column names of the header.
    excluded
        Whether the settings exclude unnamed columns, whatever they hold.
    """

    def __init__(self, names: Sequence[str], *, excluded: bool) -> None:
        self._excluded = excluded
        self._held: dict[int, Cell | None] = {
            place: None for place, name in enumerate(names) if not name
        }

    def read(self, block: Block) -> None:
        """Record the first cell of each unnamed column that is not empty, if ``block`` has one."""
        for column, held in self._held.items():
            if held is None:
                self._held[column] = _first_cell(block, column)

    def check(self, where: str) -> list[str]:
        """Return a notice of what is left out, if something is.

        Raises
        ------
        DataError
            An unnamed column other than the first has a value: a lost header, or a stray cell.
        """
        if self._excluded or not self._held:
            return []
        for column, held in self._held.items():
            if column and held is not None:
                raise DataError(
                    f"{where}, column {column + 1}: it has no name, but row {held.row} (line "
                    f"{held.line}) holds {quote(held.text)} there. Name the column in the header, "
                    "empty its cells, or exclude all columns without a name: --exclude '' of ffn "
                    'init, data.exclude = [""] in pipeline.toml.'
                )
        notices = []
        if self._held.get(0) is not None:
            notices.append("column 1 has no name and is left out, as an index of the rows")
        if empty := [str(place + 1) for place, held in self._held.items() if held is None]:
            columns = "column" if len(empty) == 1 else "columns"
            verb = "is" if len(empty) == 1 else "are"
            notices.append(
                f"{columns} {shown(empty)} without a name and without a value {verb} left out"
            )
        return notices


def _first_cell(block: Block, column: int) -> Cell | None:
    starts, ends = block.bounds(column)
    for record in np.flatnonzero(ends > starts).tolist():
        text = trim(block.cell(column, record).decode())
        if text:
            return Cell(int(block.rows[record]), int(block.lines[record]), text)
    return None
