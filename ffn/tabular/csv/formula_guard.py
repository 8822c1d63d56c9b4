"""Protection against formula injection: an apostrophe before cells that spreadsheets evaluate."""

from __future__ import annotations

import numpy as np

from ffn.tabular.cells import is_number
from ffn.tabular.csv.parsing.blocks import Block

__all__ = ["FormulaGuard", "raw_cell", "raw_cells"]

# Spreadsheets set to Japanese also evaluate the full-width forms.
_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
# Invisible characters that may precede them.
_UNSEEN = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u3000\u200b\u2060\ufeff"
_SUSPECT = np.zeros(256, dtype=bool)
_SUSPECT[list({text.encode()[0] for text in (*_STARTS, *_UNSEEN)})] = True


class FormulaGuard:
    """Adds an apostrophe to cells that a spreadsheet would evaluate; numbers are left alone.

    Parameters
    ----------
    decimal
        Decimal mark, by which negative numbers are recognised.
    """

    def __init__(self, decimal: str = ".") -> None:
        self._decimal = decimal

    def text(self, cell: str) -> str:
        """Return the text of ``cell``, with an apostrophe if it would be evaluated."""
        return "'" + cell if self._runs(cell) else cell

    def raw(self, cell: bytes) -> bytes:
        """Return ``cell``, raw bytes quoted or not, with an apostrophe if it would be evaluated."""
        quoted = cell.startswith(b'"')
        inside = cell[1:-1].replace(b'""', b'"') if quoted else cell
        if not self._runs(inside.decode()):
            return cell
        return b"\"'" + cell[1:] if quoted else b"'" + cell

    def records(self, block: Block, delimiter: bytes) -> list[bytes]:
        """Return the records [n] of a block, with an apostrophe before cells to be protected.

        Parameters
        ----------
        block
            The records.
        delimiter
            Delimiter of the file, one byte.
        """
        records = block.records()
        starts = np.minimum(block.cell_starts, len(block.data) - 1)
        suspect = _SUSPECT[block.data[starts]] & (block.cell_ends > block.cell_starts)
        for i in np.flatnonzero(suspect.any(axis=0)).tolist():
            cells = (raw_cell(block, i, column) for column in range(len(suspect)))
            records[i] = delimiter.join(map(self.raw, cells))
        return records

    def _runs(self, cell: str) -> bool:
        begins = cell.lstrip(_UNSEEN).startswith(_STARTS) or cell.startswith(("\t", "\r", "\n"))
        return begins and not is_number(cell, self._decimal)


def raw_cells(block: Block, column: int) -> list[bytes]:
    """Return the raw bytes of the cells [n] of ``column`` in ``block``, with their quotes."""
    if b'"' not in block.text:
        starts, ends = (own.tolist() for own in block.bounds(column))
        return [block.text[a:b] for a, b in zip(starts, ends, strict=True)]
    return [raw_cell(block, i, column) for i in range(len(block))]


def raw_cell(block: Block, record: int, column: int) -> bytes:
    """Return the raw bytes of one cell, with its quotes.

    Parameters
    ----------
    block
        The records [n].
    record, column
        Position of the record in the block, and of the cell in the record, from 0.
    """
    start, end = int(block.cell_starts[column, record]), int(block.cell_ends[column, record])
    text = block.text
    if start >= block.stops[record] and end > start:
        # Cells with doubled quotes are stored unescaped after the file's own bytes.
        return b'"' + text[start:end].replace(b'"', b'""') + b'"'
    quoted = start > block.starts[record] and text[start - 1 : start] == b'"'
    return text[start - 1 : end + 1] if quoted else text[start:end]
