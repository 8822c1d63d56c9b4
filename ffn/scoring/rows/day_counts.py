"""Scored rows by day, for a comparison with training rows of the same season."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ffn.scoring.rows.drift_counts import counted_stretches
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.seasonal.season_counts import Seasons, day_of_text
from ffn.tabular.training_table.histograms import Reference

__all__ = ["DayCounts"]

# More different cells, or days, than any season needs: meaning is then found out again, and days
# are not told apart.
_MOST_CELLS, _MOST_DAYS = 2**16, 2**15


class DayCounts:
    """Numbers of scored rows by the day in their column of dates.

    Rows are counted in the same stretches of a file, with the same weights, as numbers are.

    Parameters
    ----------
    seasons
        What the model's training rows have by month.
    position
        Position of the column of dates in a record; None if the file does not have it.

    Attributes
    ----------
    rows
        Weighted number of rows by day, counted from 1970.
    undated
        Weighted number of rows whose cell is no date.
    there
        Whether the file has the column.
    """

    def __init__(self, seasons: Seasons, position: int | None) -> None:
        self._seasons, self._position = seasons, position
        self._days: dict[str, int | None] = {}
        self.rows: dict[int, int] = {}
        self.undated = 0
        self.there = position is not None

    @classmethod
    def of(cls, reference: Reference, position: int | None) -> DayCounts | None:
        """Return counts for a reference with seasons; None if it has none."""
        return cls(reference.seasons, position) if reference.seasons else None

    def count(
        self,
        block: Block,
        began: int,
        cells_of: Callable[[Block, int], Block] | None = None,
    ) -> None:
        """Count scored rows.

        Parameters
        ----------
        block
            The records.
        began
            Byte offset of the block in the file.
        cells_of
            Returns, for a block and a position, the block that has the cells of that column; by
            default the same.
        """
        if self._position is None:
            return
        own = cells_of(block, self._position) if cells_of else block
        starts, ends = own.bounds(self._position)
        for some, each in counted_stretches(block.stops, began):
            cells: dict[bytes, int] = {}
            for start, end in zip(starts[some].tolist(), ends[some].tolist(), strict=True):
                cell = own.text[start:end]
                cells[cell] = cells.get(cell, 0) + each
            for cell, rows in cells.items():
                self._add(self._day(cell.decode()), rows)

    def _day(self, text: str) -> int | None:
        if text not in self._days:
            if len(self._days) >= _MOST_CELLS:
                self._days.clear()
            self._days[text] = day_of_text(text, self._seasons.form, self._seasons.decimal)
        return self._days[text]

    def _add(self, day: int | None, rows: int) -> None:
        if day is None or (day not in self.rows and len(self.rows) >= _MOST_DAYS):
            self.undated += rows
        else:
            self.rows[day] = self.rows.get(day, 0) + rows

    def state(self) -> dict[str, Any]:
        """Return all counts as a JSON object, for ``add``."""
        return {"rows": {str(day): self.rows[day] for day in sorted(self.rows)}, "no": self.undated}

    def add(self, state: dict[str, Any]) -> None:
        """Add the counts of other rows, given as their ``state``."""
        self.undated += state["no"]
        for day, rows in state["rows"].items():
            self._add(int(day), rows)
