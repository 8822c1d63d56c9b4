"""CSV grammar, and a parser that reads one record field by field.

The grammar is that of RFC 4180, with LF, CRLF or CR as line end::

    record    = field *(delimiter field)
    field     = quoted | unquoted
    quoted    = '"' *(any byte but '"' | '""') '"'
    unquoted  = *(any byte but '"', the delimiter, CR, LF)

`read_record` follows it field by field. Where the bytes break it, ``recovery`` determines the end
of the damaged record. ``scanner`` finds the same positions for a whole block at a time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.tabular.csv.parsing.rejects import Reason

__all__ = [
    "LINE_END",
    "Positions",
    "Record",
    "Structure",
    "count_lines",
    "line_ends",
    "read_record",
]

Positions = npt.NDArray[np.int64]

_LINE_FEED, _RETURN = b"\n\r"
LINE_END = re.compile(rb"\r\n|\n|\r")
"""A line end of any kind."""

# Possessive quantifiers: there is only one way to match, so backtracking would be wasted.
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


class Record(NamedTuple):
    """One record, or the part of a damaged one that is rejected.

    Attributes
    ----------
    end
        Position at which its text ends and its line end begins.
    stop
        Position at which its line end stops.
    delimiters
        Positions of its delimiters.
    fault
        How it breaks the grammar; None if it does not.
    fault_at
        Position at which it breaks the grammar; -1 if it does not.
    """

    end: int
    stop: int
    delimiters: list[int]
    fault: Reason | None
    fault_at: int = -1


class Structure(NamedTuple):
    """Positions of all records of a text, in order, including blank lines and faulty records.

    Attributes
    ----------
    starts, ends, stops
        Positions [m]: record ``i`` is ``text[starts[i]:ends[i]]``, its line end
        ``text[ends[i]:stops[i]]``.
    delimiters
        Positions [d] of the delimiters outside quotes, in order; in a faulty record only those
        before the fault.
    faults
        Record number to reason, for records that break the grammar.
    consumed
        The text before this position is in the records above.
    given_up
        True if a record too long to be one begins at ``consumed``, and none was found behind it.
    """

    starts: Positions
    ends: Positions
    stops: Positions
    delimiters: Positions
    faults: dict[int, Reason]
    consumed: int
    given_up: bool

    def moved(self, by: int) -> Structure:
        """Return the structure with all positions increased by ``by`` bytes."""
        if not by:
            return self
        return self._replace(
            starts=self.starts + by,
            ends=self.ends + by,
            stops=self.stops + by,
            delimiters=self.delimiters + by,
            consumed=self.consumed + by,
        )

    def before(self, count: int) -> Structure:
        """Return the structure of the first ``count`` records."""
        consumed = int(self.starts[count])
        return Structure(
            self.starts[:count],
            self.ends[:count],
            self.stops[:count],
            self.delimiters[: np.searchsorted(self.delimiters, consumed)],
            {i: reason for i, reason in self.faults.items() if i < count},
            consumed,
            False,
        )


def read_record(
    text: bytes, start: int, delimiter: bytes, final: bool, end: int | None = None
) -> Record | None:
    """Read the record that begins at ``start``.

    Parameters
    ----------
    text
        UTF-8 bytes.
    start
        Position of the record's first byte.
    delimiter
        Delimiter of the file, one byte.
    final
        Whether the file ends at ``end``.
    end
        Position at which to stop; default: the end of ``text``.

    Returns
    -------
    record
        None if it may continue after ``end``. A quote that is still open at the end of the file
        gives the fault ``UNCLOSED_QUOTE``; any other fault extends the record to the end of the
        line on which it was found.
    """
    end = len(text) if end is None else end
    delimiters: list[int] = []
    position = start
    while True:
        quoted = text.startswith(b'"', position, end)
        match = (_QUOTED if quoted else _unquoted(delimiter)).match(text, position, end)
        if match is None:
            fault = Reason.UNCLOSED_QUOTE
            return Record(end, end, delimiters, fault, position) if final else None
        position = match.end()
        following = text[position : min(position + 1, end)]
        if following == delimiter:
            delimiters.append(position)
            position += 1
        elif following in (b"", b"\n", b"\r"):
            return _end_of_line(text, position, end, delimiters, None, final)
        else:
            fault = Reason.TEXT_AFTER_QUOTE if quoted else Reason.BARE_QUOTE
            return _end_of_line(text, position, end, delimiters, fault, final)


def count_lines(record: bytes) -> int:
    """Return the number of lines that ``record`` spans."""
    return 1 + len(LINE_END.findall(record))


def line_ends(text: bytes, final: bool) -> tuple[Positions, Positions]:
    """Return start and stop positions [m] of all line ends, inside quotes and outside.

    Parameters
    ----------
    text
        UTF-8 bytes.
    final
        Whether the file ends with ``text``. Otherwise a CR at its end does not count, because
        an LF may follow.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    feeds = np.flatnonzero(data == _LINE_FEED)
    if b"\r" not in text:
        return feeds, feeds + 1
    # Line feed 0 has no byte before it; position -1 is then the last byte, which may be CR.
    after_return = (data[feeds - 1] == _RETURN) & (feeds > 0)
    ends = feeds - after_return
    if np.count_nonzero(data == _RETURN) == np.count_nonzero(after_return):
        return ends, feeds + 1
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
    text: bytes, position: int, end: int, delimiters: list[int], fault: Reason | None, final: bool
) -> Record | None:
    match = LINE_END.search(text, position, end)
    if match is None:
        return Record(end, end, delimiters, fault, position) if final else None
    if match[0] == b"\r" and match.end() == end and not final:
        return None  # an LF may follow in the next block
    return Record(match.start(), match.end(), delimiters, fault, position)
