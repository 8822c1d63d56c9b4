"""Fast path for blocks in which every record is one line with the right number of cells.

Most blocks of most files are such. Their delimiters and line ends, in order, form a table with one
row for each record, so no further validation is needed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.tabular.csv.parsing.blocks import Block, undouble
from ffn.tabular.csv.parsing.fixed_width import read_fixed_width
from ffn.tabular.csv.parsing.grammar import Positions
from ffn.tabular.csv.parsing.lazy_blocks import LineBlock
from ffn.tabular.csv.parsing.position import Place
from ffn.tabular.csv.parsing.scanner import first_misplaced, outside

__all__ = ["RegularBlock", "read_regular"]

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'
_FEW = 32


class RegularBlock(LineBlock):
    """Single-line records, as a table of the positions of their delimiters and line feeds.

    Parameters
    ----------
    text
        UTF-8 bytes, up to the end of the last record.
    place, line_end
        As in `LineBlock`.
    table
        Position of the delimiter or line feed after each cell [n, C].
    quotes
        Positions of the quotes in ``text``, ascending.
    """

    _table: Positions
    _quoted: tuple[Positions, Positions, Positions, Positions]

    def __init__(
        self, text: bytes, place: Place, line_end: bytes, table: Positions, quotes: Positions
    ) -> None:
        count, columns = table.shape
        # An opening quote directly follows a delimiter or line feed; a doubled quote does not.
        marks, first = table.ravel(), quotes[0::2]
        cells = np.searchsorted(marks, first)
        opens = np.where(cells > 0, marks[cells - 1], -1) == first - 1
        cells, starts = cells[opens], first[opens] + 1
        of_last = cells % columns == columns - 1
        ends = marks[cells] - 1 - of_last * (len(line_end) - 1)
        text = undouble(text, starts, ends, quotes)
        super().__init__(text, place, line_end, count, columns)
        vars(self).update(_table=table, _quoted=(*np.divmod(cells, columns), starts, ends))

    @cached_property
    def stops(self) -> Positions:
        """As in `Block`."""
        return self._table[:, -1] + 1

    @property
    def consumed(self) -> int:
        """As in `Block`."""
        return int(self._table[-1, -1]) + 1

    def _find_bounds(self, column: int) -> tuple[Positions, Positions]:
        starts = self.starts if column == 0 else self._marks(column - 1) + 1
        last = column == self._table.shape[1] - 1
        ends = self.ends if last else self._marks(column)
        rows, columns, inner_starts, inner_ends = self._quoted
        if len(rows):
            starts, ends, own = starts.copy(), ends.copy(), columns == column
            starts[rows[own]], ends[rows[own]] = inner_starts[own], inner_ends[own]
        return starts, ends

    def _marks(self, column: int) -> Positions:
        """Return a column of the table, cached: cells end there, and the next ones start after."""
        found = self._of_column.get(column)
        if found is None:
            found = self._of_column[column] = self._table[:, column].copy()
        return found

    @cached_property
    def _of_column(self) -> dict[int, Positions]:
        return {}


def read_regular(
    text: bytes, place: Place, delimiter: bytes, columns: int, final: bool
) -> tuple[Block, Place] | None:
    """Return the result of `scan` and `validate_records`; None if the fast path does not apply.

    Parameters
    ----------
    text
        UTF-8 bytes that begin with a record.
    place
        Position of ``text`` in the file.
    delimiter
        Delimiter of the file, one byte.
    columns
        Number of fields of a record.
    final
        Whether the file ends with ``text``.

    Returns
    -------
    block
        The complete records in ``text``.
    place
        Position after them.
    """
    if place.after_stray or b"\0" in text:
        return None
    fixed = read_fixed_width(text, place, delimiter, columns, final)
    if fixed is not None and _is_text(fixed.text):
        return fixed, _after(place, len(fixed))
    data = np.frombuffer(text, dtype=np.uint8)
    feeds = data == _LINE_FEED
    marks = np.flatnonzero(feeds | (data == ord(delimiter)))
    quotes = marks[:0]
    if b'"' in text:
        quotes = np.flatnonzero(data == _QUOTE)
        if first_misplaced(quotes, data, delimiter) is not None:
            return None
        marks, inside = _divided(marks, quotes)
        if feeds[inside].any():
            return None
    count = len(marks) // columns
    table = marks[: count * columns].reshape(count, columns)
    # As many line feeds as records, and one at the end of each, so there are no others.
    if not count or np.count_nonzero(feeds) != count or not feeds[table[:, -1]].all():
        return None
    consumed = int(table[-1, -1]) + 1
    if consumed < len(text):
        if final:
            return None
        text, data = text[:consumed], data[:consumed]
        quotes = quotes[: np.searchsorted(quotes, consumed)]
    line_end = b"\n"
    if b"\r" in text:
        if not _all_end_with_return(data, table[:, -1]):
            return None
        line_end = b"\r\n"
    block = RegularBlock(text, place, line_end, table, quotes)
    # With one column, a record may be a blank line.
    if not _is_text(text) or (columns == 1 and (block.ends == block.starts).any()):
        return None
    return block, _after(place, count)


def _after(place: Place, count: int) -> Place:
    return place._replace(rows=place.rows + count, lines=place.lines + count)


def _divided(marks: Positions, quotes: Positions) -> tuple[Positions, Positions]:
    """Return the marks outside quotes, and those inside; all positions ascend."""
    between = np.searchsorted(marks, quotes)
    if len(between) % 2:
        between = np.append(between, len(marks))
    holding = between[0::2] < between[1::2]
    if np.count_nonzero(holding) > _FEW:
        kept = outside(marks, quotes)
        return marks[kept], np.delete(marks, kept)
    # Concatenating a few slices takes a tenth of the time of a mask.
    first, last = between[0::2][holding].tolist(), between[1::2][holding].tolist()
    kept_from = zip([0, *last], [*first, len(marks)], strict=True)
    return (
        np.concatenate([marks[a:b] for a, b in kept_from]),
        np.concatenate([marks[:0], *(marks[a:b] for a, b in zip(first, last, strict=True))]),
    )


def _all_end_with_return(data: npt.NDArray[np.uint8], feeds: Positions) -> bool:
    """Return whether every line feed follows a CR, and there is no other CR."""
    before = data[feeds - 1] == _RETURN
    return bool(before.all()) and np.count_nonzero(data == _RETURN) == len(feeds)


def _is_text(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
