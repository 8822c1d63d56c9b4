"""Vectorised CSV scanner: positions of the records and delimiters of a whole block.

`scan_carefully` reads record by record and recovers from damage. `scan_quickly` gives the same
result vectorised, up to the first quote that breaks the grammar. `scan` alternates: quickly up to
the damage, carefully across it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffn.tabular.csv.parsing.grammar import Positions, Structure, line_ends
from ffn.tabular.csv.parsing.recovery import Shape, read_or_recover
from ffn.tabular.csv.parsing.rejects import Reason

__all__ = ["first_misplaced", "outside", "scan", "scan_carefully", "scan_quickly"]

_LOOK_AHEAD = 4096
_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'


def scan(
    text: bytes,
    shape: Shape,
    final: bool,
    look_ahead: int = _LOOK_AHEAD,
    enough: int | None = None,
) -> tuple[Structure, int]:
    """Return the structure of a text, and the number of records that were read one by one.

    Parameters
    ----------
    text
        UTF-8 bytes that begin with a record.
    shape
        Shape of the file's records.
    final
        Whether the file ends with ``text``.
    look_ahead
        Bytes to scan first after damage; affects only the speed.
    enough
        Stop after damage if more bytes than this remain, so that the caller can take the result;
        None (the default): scan all of ``text``.
    """
    parts: list[Structure] = []
    position, careful = 0, 0
    window, patience = len(text), 1
    while True:
        end = min(position + window, len(text))
        piece = text[position:end] if end - position < len(text) else text
        quick, broken = _scan_to_fault(piece, shape, final and end == len(text))
        parts.append(quick.moved(position))
        position += quick.consumed
        if not broken:
            if end == len(text):
                break
            window *= 2
            continue
        # More damage may follow: scan a small window first, and read records singly if it is dense.
        window, patience = look_ahead, 1 if len(quick.starts) > patience else 2 * patience
        damaged = scan_carefully(text, shape, final, position, patience)
        careful += len(damaged.starts)
        parts.append(damaged)
        position = damaged.consumed
        if len(damaged.starts) < patience or (enough and len(text) - position > enough):
            break
    return _joined(parts), careful


def scan_carefully(
    text: bytes, shape: Shape, final: bool, start: int = 0, at_most: int | None = None
) -> Structure:
    """Return the structure of a text, read record by record.

    Parameters
    ----------
    text, shape, final
        As for `scan`.
    start
        Position of the first record; by default 0.
    at_most
        Largest number of records; None, the default, for all.
    """
    bounds: list[tuple[int, int, int]] = []
    delimiters: list[int] = []
    faults: dict[int, Reason] = {}
    given_up = False
    while start < len(text) and len(bounds) != at_most:
        record = read_or_recover(text, start, shape, final)
        if record is None:
            break
        if record.stop == start:
            given_up = True
            break
        if record.fault is not None:
            faults[len(bounds)] = record.fault
        bounds.append((start, record.end, record.stop))
        delimiters += record.delimiters
        start = record.stop
    starts, ends, stops = np.array(bounds, dtype=np.int64).reshape(-1, 3).T
    return Structure(
        starts, ends, stops, np.array(delimiters, dtype=np.int64), faults, start, given_up
    )


def _scan_to_fault(text: bytes, shape: Shape, final: bool) -> tuple[Structure, bool]:
    """Return the result of `scan_quickly`, but stop before a record that is too long, too."""
    quick, broken = scan_quickly(text, shape.delimiter, final)
    if len(text) > shape.record_limit:
        too_long = np.flatnonzero(quick.ends - quick.starts > shape.record_limit)
        if too_long.size:
            return quick.before(int(too_long[0])), True
        # One byte more than the limit may be a CR whose line feed is still to come.
        broken |= len(text) - quick.consumed > shape.record_limit + 1
    return quick, broken


def scan_quickly(text: bytes, delimiter: bytes, final: bool) -> tuple[Structure, bool]:
    """Return the result of `scan_carefully`, up to the first misplaced quote.

    In a text that follows the grammar, a position is inside quotes exactly if an odd number of
    quotes precede it, doubled quotes counting as two. The text follows the grammar if every odd
    quote comes after, and every even quote before, a delimiter, a line end, an end of the text,
    or the other half of a doubled quote. Up to the first quote that violates this, the same holds.

    Parameters
    ----------
    text
        UTF-8 bytes that begin with a record.
    delimiter
        Delimiter of the file, one byte.
    final
        Whether the file ends with ``text``.

    Returns
    -------
    structure
        Structure of the whole text, or of the records before one with a quote that is misplaced
        or, in a final text, never closed.
    broken
        Whether there is such a quote.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    ends, stops = line_ends(text, final)
    delimiters = np.flatnonzero(data == ord(delimiter))
    broken = False
    if b'"' in text:
        quotes = np.flatnonzero(data == _QUOTE)
        misplaced = first_misplaced(quotes, data, delimiter)
        if misplaced is not None:
            broken, final = True, False
            quotes = quotes[: misplaced + 1]
            ends, stops = _before(ends, stops, int(quotes[-1]))
        kept = outside(ends, quotes)
        ends, stops = ends[kept], stops[kept]
        delimiters = delimiters[outside(delimiters, quotes)]
        if final and quotes.size % 2 == 1:
            broken, final = True, False
    consumed = int(stops[-1]) if stops.size else 0
    if final and consumed < len(text):
        consumed = len(text)
        ends, stops = np.append(ends, consumed), np.append(stops, consumed)
    starts = np.concatenate(([0], stops[:-1])) if stops.size else stops
    if delimiters.size and delimiters[-1] >= consumed:
        delimiters = delimiters[: np.searchsorted(delimiters, consumed)]
    return Structure(starts, ends, stops, delimiters, {}, consumed, False), broken


def first_misplaced(quotes: Positions, data: npt.NDArray[np.uint8], delimiter: bytes) -> int | None:
    """Return the index of the first quote that breaks the grammar; None if there is none.

    Parameters
    ----------
    quotes
        Positions of all quotes in the text, ascending.
    data
        Bytes of the text.
    delimiter
        Delimiter of the file, one byte.
    """
    opening, closing = quotes[0::2], quotes[1::2]
    edge = np.zeros(256, dtype=bool)
    edge[[_LINE_FEED, _RETURN, ord(delimiter)]] = True
    opens = edge[data[opening - 1]] | (opening == 0)
    closes = edge[data[np.minimum(closing + 1, len(data) - 1)]] | (closing == len(data) - 1)
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens[1:] |= doubled
    closes[: len(doubled)] |= doubled
    if opens.all() and closes.all():
        return None
    placed = np.empty(len(quotes), dtype=bool)
    placed[0::2], placed[1::2] = opens, closes
    return int(placed.argmin())


def _before(ends: Positions, stops: Positions, position: int) -> tuple[Positions, Positions]:
    count = int(np.searchsorted(ends, position))
    return ends[:count], stops[:count]


def outside(positions: Positions, quotes: Positions) -> npt.NDArray[np.bool_] | slice:
    """Return an index (mask or slice) of the positions outside quotes.

    Parameters
    ----------
    positions
        Positions, ascending.
    quotes
        Positions of all quotes in the text, ascending.
    """
    between = np.searchsorted(positions, quotes)
    if quotes.size % 2:
        between = np.append(between, len(positions))
    first, last = between[0::2], between[1::2]
    holding = first < last
    if not holding.any():
        return slice(None)
    # Quoted cells do not overlap, so each index occurs once among the firsts and the lasts.
    change = np.zeros(len(positions) + 1, dtype=np.int8)
    change[first[holding]] += 1
    change[last[holding]] -= 1
    kept: npt.NDArray[np.bool_] = np.cumsum(change[:-1], dtype=np.int8) == 0
    return kept


def _joined(parts: list[Structure]) -> Structure:
    if len(parts) == 1:
        return parts[0]
    faults: dict[int, Reason] = {}
    count = 0
    for part in parts:
        faults |= {count + i: reason for i, reason in part.faults.items()}
        count += len(part.starts)
    return Structure(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.stops for part in parts]),
        np.concatenate([part.delimiters for part in parts]),
        faults,
        parts[-1].consumed,
        parts[-1].given_up,
    )
