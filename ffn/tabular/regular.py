"""Blocks in which every record is one line with a cell for each column: most blocks of most files.

Then delimiters and line ends, in the order in which they stand, are a table with a row for
each record, and there is nothing to judge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffn.tabular.alike import read_alike
from ffn.tabular.blocks import Block, unquote
from ffn.tabular.places import Place
from ffn.tabular.scanning import first_misplaced, outside
from ffn.tabular.structure import Positions

__all__ = ["read_regular"]

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'


def read_regular(
    text: bytes, place: Place, delimiter: bytes, columns: int, final: bool
) -> tuple[Block, Place] | None:
    """Return what `scan` and `judge` return of the records in ``text``, or None.

    None says nothing but that they have to be asked. The block's ``text`` ends with the last
    whole record, cells without doubled quotes aside.

    Parameters
    ----------
    place
        Where in the file the text begins.
    columns
        Fields a record must have.
    final
        True if no bytes follow ``text`` in the file.
    """
    if place.after_stray or b"\0" in text:
        return None
    alike = read_alike(text, place, delimiter, columns, final)
    if alike is not None and _is_text(alike.text):
        return alike, _after(place, len(alike))
    data = np.frombuffer(text, dtype=np.uint8)
    marks = _marks(data, text, delimiter)
    if marks is None:
        return None
    count = len(marks) // columns
    is_end = data[marks] == _LINE_FEED
    table = marks[: count * columns].reshape(count, columns)
    if not count or np.count_nonzero(is_end) != count:
        return None
    if not is_end[columns - 1 : count * columns : columns].all():
        return None
    settled = int(table[-1, -1]) + 1
    if final and settled < len(text):
        return None
    if settled < len(text):
        text = text[:settled]
        data = data[:settled]

    cell_ends = np.ascontiguousarray(table.T)
    cell_starts = np.empty_like(cell_ends)
    np.add(cell_ends[:-1], 1, out=cell_starts[1:])
    np.add(cell_ends[-1, :-1], 1, out=cell_starts[0, 1:])
    cell_starts[0, 0] = 0
    stops, line_end = cell_ends[-1] + 1, b"\n"
    if b"\r" in text:
        if not _all_end_with_return(data, cell_ends[-1]):
            return None
        cell_ends[-1] -= 1
        line_end = b"\r\n"
    # With one column, a record may be a blank line.
    if not (_is_text(text) and (columns > 1 or (cell_ends > cell_starts).all())):
        return None
    numbers = np.arange(1, count + 1)
    starts, ends = cell_starts[0].copy(), cell_ends[-1].copy()
    block = Block(
        unquote(text, cell_starts, cell_ends),
        place.rows + numbers,
        place.lines + numbers,
        starts,
        ends,
        stops,
        cell_starts,
        cell_ends,
        (),
        line_end,
    )
    return block, _after(place, count)


def _after(place: Place, count: int) -> Place:
    return place._replace(rows=place.rows + count, lines=place.lines + count)


def _marks(data: npt.NDArray[np.uint8], text: bytes, delimiter: bytes) -> Positions | None:
    """Delimiters and line feeds, those inside quotes left out; None if it is not that simple."""
    marks = np.flatnonzero((data == ord(delimiter)) | (data == _LINE_FEED))
    if b'"' not in text:
        return marks
    quotes = np.flatnonzero(data == _QUOTE)
    if first_misplaced(quotes, data, delimiter) is not None:
        return None
    kept = marks[outside(marks, quotes)]
    if np.count_nonzero(data[kept] == _LINE_FEED) != np.count_nonzero(data[marks] == _LINE_FEED):
        return None
    return kept


def _all_end_with_return(data: npt.NDArray[np.uint8], feeds: Positions) -> bool:
    """Whether each line feed has a CR before it, and there is no other."""
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
