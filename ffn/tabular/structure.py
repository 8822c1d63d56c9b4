"""Where records and cells begin and end in CSV bytes.

Two readings of one grammar (RFC 4180, with LF, CRLF or CR as line end)::

    record    = field *(delimiter field)
    field     = quoted | unquoted
    quoted    = '"' *(any byte but '"' | '""') '"'
    unquoted  = *(any byte but '"', the delimiter, CR, LF)

`scan_carefully` walks it field by field and knows what to do where the bytes leave it:
the record is at fault, and ends with the line on which that shows. `scan_quickly` finds
the same places a whole block at a time and gives up on a block that breaks the grammar.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.tabular.rejects import Reason

__all__ = ["Record", "Structure", "line_ends", "read_record", "scan_carefully", "scan_quickly"]

Positions = npt.NDArray[np.int64]

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'
_LINE_END = re.compile(rb"\r\n|\n|\r")
# Possessive: after a doubled quote there is no second way to read what came before it.
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


class Record(NamedTuple):
    """One record: its text ends at ``end``, its line end at ``stop``."""

    end: int
    stop: int
    delimiters: list[int]
    fault: Reason | None


class Structure(NamedTuple):
    """Every record of a text, in order, blank lines and faulty records among them.

    Attributes
    ----------
    starts, ends, stops
        Positions [m]: record ``i`` is ``text[starts[i]:ends[i]]``, its line end
        ``text[ends[i]:stops[i]]``.
    delimiters
        Positions [d] of the delimiters outside quotes, in order (up to the fault only, in
        a faulty record).
    faults
        Record number to reason, for records that break the grammar.
    settled
        The text before this position is in the records above.
    unclosed
        True if a quote opened after ``settled`` stays open to the end of the file.
    """

    starts: Positions
    ends: Positions
    stops: Positions
    delimiters: Positions
    faults: dict[int, Reason]
    settled: int
    unclosed: bool

    def before(self, count: int) -> Structure:
        """Return the structure of the first ``count`` records."""
        settled = int(self.starts[count])
        return Structure(
            self.starts[:count],
            self.ends[:count],
            self.stops[:count],
            self.delimiters[: np.searchsorted(self.delimiters, settled)],
            {i: reason for i, reason in self.faults.items() if i < count},
            settled,
            False,
        )


def read_record(text: bytes, start: int, delimiter: bytes, final: bool) -> Record | None:
    """Read the record that begins at ``start``.

    Parameters
    ----------
    final
        True if no bytes follow ``text`` in the file.

    Returns
    -------
    The record; None if it may go on after ``text``. A quote that is open at the end of
    the file makes a record with the fault ``UNCLOSED_QUOTE``.
    """
    delimiters: list[int] = []
    position = start
    while True:
        quoted = text.startswith(b'"', position)
        match = (_QUOTED if quoted else _unquoted(delimiter)).match(text, position)
        if match is None:
            fault = Reason.UNCLOSED_QUOTE
            return Record(len(text), len(text), delimiters, fault) if final else None
        position = match.end()
        following = text[position : position + 1]
        if following == delimiter:
            delimiters.append(position)
            position += 1
        elif following in (b"", b"\n", b"\r"):
            return _end_of_line(text, position, delimiters, None, final)
        else:
            fault = Reason.TEXT_AFTER_QUOTE if quoted else Reason.BARE_QUOTE
            return _end_of_line(text, position, delimiters, fault, final)


def scan_carefully(text: bytes, delimiter: bytes, final: bool) -> Structure:
    """Return the structure of ``text``, record by record."""
    bounds: list[tuple[int, int, int]] = []
    delimiters: list[int] = []
    faults: dict[int, Reason] = {}
    start, unclosed = 0, False
    while start < len(text):
        record = read_record(text, start, delimiter, final)
        if record is None:
            break
        if record.fault is Reason.UNCLOSED_QUOTE:
            unclosed = True
            break
        if record.fault is not None:
            faults[len(bounds)] = record.fault
        bounds.append((start, record.end, record.stop))
        delimiters += record.delimiters
        start = record.stop
    starts, ends, stops = np.array(bounds, dtype=np.int64).reshape(-1, 3).T
    return Structure(
        starts, ends, stops, np.array(delimiters, dtype=np.int64), faults, start, unclosed
    )


def scan_quickly(text: bytes, delimiter: bytes, final: bool) -> Structure | None:
    """Return what `scan_carefully` returns, or None if a quote stands where none may.

    In a text that keeps the grammar a position is inside quotes exactly if an odd number
    of quotes precede it, doubled quotes counting as two. The text keeps it if every odd
    quote follows, and every even quote precedes, a delimiter, a line end, an end of the
    text, or the other half of a doubled quote.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    ends, stops = line_ends(text, final)
    delimiters = np.flatnonzero(data == ord(delimiter))
    quotes = np.flatnonzero(data == _QUOTE) if b'"' in text else np.empty(0, dtype=np.int64)
    if quotes.size:
        if not _in_place(quotes, data, delimiter):
            return None
        outside = np.searchsorted(quotes, ends) % 2 == 0
        ends, stops = ends[outside], stops[outside]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    settled = int(stops[-1]) if stops.size else 0
    unclosed = final and quotes.size % 2 == 1
    if final and not unclosed and settled < len(text):
        settled = len(text)
        ends, stops = np.append(ends, settled), np.append(stops, settled)
    starts = np.concatenate(([0], stops[:-1])) if stops.size else stops
    delimiters = delimiters[: np.searchsorted(delimiters, settled)]
    return Structure(starts, ends, stops, delimiters, {}, settled, unclosed)


def line_ends(text: bytes, final: bool) -> tuple[Positions, Positions]:
    """Return where line ends begin [m] and stop [m], inside quotes and out."""
    data = np.frombuffer(text, dtype=np.uint8)
    feeds = np.flatnonzero(data == _LINE_FEED)
    if b"\r" not in text:
        return feeds, feeds + 1
    # Line feed 0 has no byte before it; position -1 is then the last byte, which may be CR.
    ends = feeds - ((data[feeds - 1] == _RETURN) & (feeds > 0))
    returns = np.flatnonzero(data == _RETURN)
    if returns[-1] == len(data) - 1 and not final:
        returns = returns[:-1]
    lone = returns[data[np.minimum(returns + 1, len(data) - 1)] != _LINE_FEED]
    if not lone.size:
        return ends, feeds + 1
    ends = np.sort(np.concatenate((ends, lone)))
    return ends, np.sort(np.concatenate((feeds, lone))) + 1


@lru_cache
def _unquoted(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'[^"\r\n' + re.escape(delimiter) + rb"]*+")


def _end_of_line(
    text: bytes, position: int, delimiters: list[int], fault: Reason | None, final: bool
) -> Record | None:
    match = _LINE_END.search(text, position)
    if match is None:
        return Record(len(text), len(text), delimiters, fault) if final else None
    if match[0] == b"\r" and match.end() == len(text) and not final:
        return None  # its line feed may come with the next block
    return Record(match.start(), match.end(), delimiters, fault)


def _in_place(quotes: Positions, data: npt.NDArray[np.uint8], delimiter: bytes) -> bool:
    """Whether every quote opens a field, closes one, or is half of a doubled quote."""
    opening, closing = quotes[0::2], quotes[1::2]
    edge = np.zeros(256, dtype=bool)
    edge[[_LINE_FEED, _RETURN, ord(delimiter)]] = True
    opens = edge[data[opening - 1]] | (opening == 0)
    closes = edge[data[np.minimum(closing + 1, len(data) - 1)]] | (closing == len(data) - 1)
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens[1:] |= doubled
    closes[: len(doubled)] |= doubled
    return bool(opens.all() and closes.all())
