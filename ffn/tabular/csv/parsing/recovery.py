"""Error recovery: find the end of a record with broken quoting, without losing good records.

Quotes are paired in order, so one quote too many or too few swaps inside and outside: the damaged
record seems to extend over good ones, up to the byte at which the grammar breaks (or to the end of
the file, if no quote follows). A record without a fault is never divided, whatever its cells hold.
A record with a fault ends as follows.

1. Before the first line inside it from which only records of the right shape (without fault, and
   with as many fields as the header) follow, up to the line on which the fault is found, or for
   ten records. A quote that is never closed is found at the end of the file; a record longer than
   ``record_limit``, after that many bytes.
2. If there is no such line: with the line on which the fault is found. If that would leave the
   rest of a multi-line cell as a record, the record extends over it: a cell that begins with a
   quote is then taken to end at the first quote before a delimiter or line end. This applies only
   if the record then has as many fields as the header, ends within 2 KiB, and covers no record of
   the right shape.
3. If there is no such line in a record longer than ``record_limit``, the end is unknown.

The decision depends only on the bytes after the record's beginning, at most ``record_limit`` and
one megabyte of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ffn.tabular.csv.parsing.grammar import LINE_END, Record, read_record
from ffn.tabular.csv.parsing.rejects import Reason

__all__ = ["Shape", "is_of_shape", "read_or_recover"]

_RECORDS_AHEAD = 10
_BYTES_AHEAD = 1024 * 1024
_STOPS_KEPT = 1000
_TAIL_BYTES = 2 * 1024


class Shape(NamedTuple):
    """What well-formed records of a file have in common.

    Attributes
    ----------
    delimiter
        Delimiter, one byte.
    columns
        Number of fields.
    record_limit
        Longest record in bytes.
    """

    delimiter: bytes
    columns: int
    record_limit: int

    @property
    def longest_look(self) -> int:
        """Largest number of bytes, from the beginning of a record, that decide where it ends."""
        return self.record_limit + max(min(self.record_limit, _BYTES_AHEAD), _TAIL_BYTES) + 2


class _MoreNeededError(Exception):
    """The buffered bytes are not enough for a decision."""


def read_or_recover(text: bytes, start: int, shape: Shape, final: bool) -> Record | None:
    """Read the record that begins at ``start``, with recovery if it has a fault.

    Parameters
    ----------
    text
        UTF-8 bytes.
    start
        Position of the record's first byte.
    shape
        Shape of the file's records.
    final
        Whether the file ends with ``text``.

    Returns
    -------
    record
        None if its end depends on bytes after ``text``. A record longer than the limit, with no
        record found inside it, has an ``end`` and ``stop`` of ``start``.
    """
    limit = shape.record_limit
    end = min(len(text), start + limit + 2)
    record = read_record(text, start, shape.delimiter, final and end == len(text), end)
    if record is None and end < start + limit + 2:
        return None
    try:
        if record is None or record.end - start > limit:
            return _Recovery(text, start, shape, final).of_too_long()
        if record.fault is None:
            return record
        return _Recovery(text, start, shape, final).of(record)
    except _MoreNeededError:
        return None


def is_of_shape(record: Record, shape: Shape) -> bool:
    """Return whether ``record`` has no fault and as many fields as ``shape``."""
    return record.fault is None and len(record.delimiters) + 1 == shape.columns


class _Recovery:
    """Recovery from one damaged record, with a cache of the records found after it."""

    def __init__(self, text: bytes, start: int, shape: Shape, final: bool) -> None:
        self._text, self._start, self._shape = text, start, shape
        most = start + shape.longest_look
        self._end = min(len(text), most)
        self._final = final and self._end == len(text)
        self._whole = self._final or self._end == most
        self._stops: dict[int, int | None] = {}

    def of_too_long(self) -> Record:
        """Return the end of a record that is longer than the limit."""
        last = self._start + self._shape.record_limit
        found = self._resumed(last, last, Reason.RECORD_TOO_LONG, [])
        return found or Record(self._start, self._start, [], Reason.RECORD_TOO_LONG, last)

    def of(self, record: Record) -> Record:
        """Return the part of a faulty record that has to be rejected."""
        fault = record.fault
        if fault is Reason.UNCLOSED_QUOTE:
            last = len(self._text)
            return self._resumed(last, last, fault, record.delimiters) or record
        at = record.fault_at
        return self._resumed(at, at + 1, fault, record.delimiters) or self._with_tail(record)

    def _resumed(
        self, last: int, reach: int, fault: Reason | None, delimiters: list[int]
    ) -> Record | None:
        """Return the record up to the first line before ``last`` at which good records begin."""
        for line_end in LINE_END.finditer(self._text, self._start, last):
            begin, stop = line_end.span()
            # The last record of a file may be followed by nothing.
            inside = stop < last or fault is Reason.UNCLOSED_QUOTE
            if inside and self._follow(stop, reach):
                kept = [position for position in delimiters if position < begin]
                return Record(begin, stop, kept, fault, last)
        return None

    def _follow(self, position: int, reach: int) -> bool:
        """Return whether only records of the right shape follow, up to ``reach`` or for ten."""
        count = 0
        while position < reach and count < _RECORDS_AHEAD:
            stop = self._stop_of(position)
            if stop is None:
                return False
            count += self._text[position : position + 1] not in (b"\r", b"\n")
            position = stop
        return True

    def _stop_of(self, position: int) -> int | None:
        """Return where a record of the right shape, or a blank line, stops; None for others."""
        if position not in self._stops:
            if len(self._stops) > _STOPS_KEPT:
                # Lines are tried in order: earlier ones are not needed again.
                self._stops.clear()
            delimiter = self._shape.delimiter
            record = read_record(self._text, position, delimiter, self._final, self._end)
            if record is None and not self._whole:
                raise _MoreNeededError
            sound = record is not None and (
                record.end == position or is_of_shape(record, self._shape)
            )
            self._stops[position] = record.stop if record is not None and sound else None
        return self._stops[position]

    def _with_tail(self, record: Record) -> Record:
        """Return a record extended by the rest of its last cell, if that can be determined."""
        tail = self._with_loose_quotes(record)
        if tail is None or tail.stop <= record.stop:
            return record
        breaks = LINE_END.finditer(self._text, record.stop, tail.end)
        lines = (record.stop, *(line_end.end() for line_end in breaks))
        return record if any(map(self._begins_record, lines)) else tail

    def _begins_record(self, line: int) -> bool:
        blank = self._text[line : line + 1] in (b"\r", b"\n")
        return not blank and self._stop_of(line) is not None

    def _with_loose_quotes(self, record: Record) -> Record | None:
        """Read the record again, with quotes inside cells taken as text."""
        text, delimiter = self._text, self._shape.delimiter
        most = self._start + _TAIL_BYTES
        end = min(len(text), most)
        whole = end == most or (self._final and end == len(text))
        cells, position = 0, self._start
        while record.stop < most:
            match = _loosely_quoted(delimiter).match(text, position, end)
            if match is None and not whole and text.startswith(b'"', position):
                raise _MoreNeededError
            match = match or _text(delimiter).match(text, position, end)
            position = match.end() if match else end
            cells += 1
            if position == end:
                break
            if text[position : position + 1] != delimiter:
                line_end = LINE_END.match(text, position)
                if line_end is None or cells != self._shape.columns:
                    return None
                if line_end.end() == len(text) and not self._final:
                    raise _MoreNeededError
                return record._replace(end=line_end.start(), stop=line_end.end())
            position += 1
        if whole or record.stop >= most:
            ended = self._final and position == len(text) and cells == self._shape.columns
            return record._replace(end=position, stop=position) if ended else None
        raise _MoreNeededError


@lru_cache
def _loosely_quoted(delimiter: bytes) -> re.Pattern[bytes]:
    not_last = rb"(?![\r\n" + re.escape(delimiter) + rb"]|\Z)"
    return re.compile(rb'"[^"]*+(?:"' + not_last + rb'[^"]*+)*+"')


@lru_cache
def _text(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"[^\r\n" + re.escape(delimiter) + rb"]*+")
