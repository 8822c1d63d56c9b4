"""Errors about an extracted file name what the settings name: the files that it was made of."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from ffn.errors import FFNError
from ffn.extraction.extracted_table import ExtractedTable

__all__ = ["named_as_declared"]

_ROW = re.compile(r" row ([0-9][0-9,]*)(?: \(line [0-9]+\))?")


@contextlib.contextmanager
def named_as_declared(tables: Sequence[ExtractedTable | None]) -> Iterator[None]:
    """Name what the settings name in the errors of a block that reads the extracted files.

    A row of a table of several files is named by its file, and its number there.

    Parameters
    ----------
    tables
        The tables that are read; None for none.
    """
    try:
        yield
    except FFNError as error:
        text = str(error)
        for table in tables:
            if table is not None and table.entry is not None:
                text = _declared(text, table)
        if text == str(error):
            raise
        raise type(error)(text) from None


def _declared(text: str, table: ExtractedTable) -> str:
    """Replace path and name of an extracted file, and rows in it, in an error."""
    for name in (str(table.path), table.path.name):
        before, found, after = text.partition(name)
        while found:
            shown = table.declared
            if row := _ROW.match(after):
                shown, number = table.place(int(row[1].replace(",", "")))
                shown, after = f"{shown} row {number}", after[row.end() :]
            head = before + shown
            before, found, after = after.partition(name)
            before = head + before
        text = before
    return text
