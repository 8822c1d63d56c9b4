"""Guess where a record begins in the middle of a file: a line end may be inside quotes."""

from __future__ import annotations

from typing import Any

from ffn.tabular.csv.parsing.grammar import LINE_END, read_record
from ffn.tabular.csv.parsing.recovery import Shape, is_of_shape
from ffn.tabular.csv.reader import Records

__all__ = ["first_record", "guess_start"]

_LOOK_AHEAD = 64 * 1024
_TRIED_LINES = 200
_TRIED_BYTES = 4096
_TRIED_RECORDS = 20


def guess_start(file: Any, begin: int, records: Records) -> int | None:
    """Return the byte at or behind ``begin`` where a record seems to begin; None if unknown.

    Parameters
    ----------
    file
        The file, which is moved.
    begin
        First byte of a range, not that of the file.
    records
        Reader of the file, for the shape of its records.
    """
    file.seek(begin - 1)
    found = first_record(file.read(_LOOK_AHEAD), records.shape)
    return None if found is None else begin - 1 + found


def first_record(text: bytes, shape: Shape) -> int | None:
    """Return the position in ``text``, after its first byte, where a record seems to begin.

    It is the first one after a line end from which only records of ``shape`` follow, as far as is
    tried; None if there is none.
    """
    for number, line_end in enumerate(LINE_END.finditer(text)):
        start = line_end.end()
        if b'"' not in text:
            return start
        if number == _TRIED_LINES:
            return None
        if start > 0 and _plausible(text[start : start + _TRIED_BYTES], shape):
            return start
    return None


def _plausible(text: bytes, shape: Shape) -> bool:
    position = tried = 0
    while tried < _TRIED_RECORDS and (
        record := read_record(text, position, shape.delimiter, final=False)
    ):
        if not is_of_shape(record, shape):
            return False
        position, tried = record.stop, tried + 1
    return tried > 0
