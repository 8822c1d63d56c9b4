"""The part of each input record that is copied to the output: all of it, or one cell."""

from __future__ import annotations

from ffn.errors import DataError, did_you_mean, quote
from ffn.scoring.rows.options import Options
from ffn.tabular.csv.formula_guard import FormulaGuard, raw_cells
from ffn.tabular.csv.header import Header, check_distinct
from ffn.tabular.csv.parsing.blocks import Block

__all__ = ["Layout", "find_column"]


class Layout:
    """The part of each input record that precedes the added columns.

    Parameters
    ----------
    header
        Header of the file.
    options
        Options of scoring.
    guard
        Protection against formulas; None for none.
    name
        Name of the file in errors.

    Attributes
    ----------
    header
        That part of the header, without line end, as UTF-8.

    Raises
    ------
    DataError
        The column ``only_id`` does not exist, or occurs twice.
    """

    def __init__(
        self, header: Header, options: Options, guard: FormulaGuard | None, name: str
    ) -> None:
        self._delimiter = options.delimiter.encode()
        self._guard = guard
        self._column = (
            None if options.only_id is None else find_column(header, options.only_id, name)
        )
        fields = header.fields if self._column is None else (header.fields[self._column],)
        fields = tuple(map(self._guard.raw, fields)) if self._guard else fields
        self.header = self._delimiter.join(fields)

    def labelled(self, block: Block, suffixes: list[bytes]) -> bytes:
        """Return the output for a block of records, as UTF-8.

        Parameters
        ----------
        block
            The records [n].
        suffixes
            Text to append to each record [n], before its line end.
        """
        if self._column is not None:
            cells = raw_cells(block, self._column)
            if self._guard:
                cells = list(map(self._guard.raw, cells))
            return block.joined(cells, suffixes)
        if self._guard:
            return block.joined(self._guard.records(block, self._delimiter), suffixes)
        return block.with_suffixes(suffixes)


def find_column(header: Header, column: str, name: str) -> int:
    """Return the position of the only column to keep.

    Parameters
    ----------
    header
        Header of the file.
    column
        Name of the column.
    name
        Name of the file in errors.

    Raises
    ------
    DataError
        The column does not exist, or occurs twice.
    """
    if column not in header.names:
        hint = did_you_mean(column, header.names)
        raise DataError(f"{name} has no column {quote(column)} to keep.{hint}")
    check_distinct(header, [column], name)
    return header.names.index(column)
