"""Where records and cells begin and end in CSV bytes, a whole block at a time.

`scan_quickly` finds what `scan_carefully` finds, as far as the first quote that breaks the
grammar. `scan` takes turns: quickly to the damage, carefully over it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffn.tabular.rejects import Reason
from ffn.tabular.structure import Positions, Structure, line_ends, scan_carefully

__all__ = ["first_misplaced", "outside", "scan", "scan_quickly"]

_LOOK_AHEAD = 4096
_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'


def scan(
    text: bytes, delimiter: bytes, final: bool, look_ahead: int = _LOOK_AHEAD
) -> tuple[Structure, int]:
    """Return the structure of ``text``, and how many of its records were read one by one.

    Parameters
    ----------
    look_ahead
        Bytes to scan at first after damage. It decides how long it takes, nothing else.
    """
    parts: list[Structure] = []
    position, careful = 0, 0
    window, patience = len(text), 1
    while True:
        end = min(position + window, len(text))
        piece = text[position:end] if end - position < len(text) else text
        quick, broken = scan_quickly(piece, delimiter, final and end == len(text))
        parts.append(quick.moved(position))
        position += quick.settled
        if not broken:
            if end == len(text):
                break
            window *= 2
            continue
        # Behind one damage may be the next: look a little ahead, and one by one if it is dense.
        window, patience = look_ahead, 1 if len(quick.starts) > patience else 2 * patience
        damaged = scan_carefully(text, delimiter, final, position, patience)
        careful += len(damaged.starts)
        parts.append(damaged)
        position = damaged.settled
        if len(damaged.starts) < patience:
            break
    return _joined(parts), careful


def scan_quickly(text: bytes, delimiter: bytes, final: bool) -> tuple[Structure, bool]:
    """Return what `scan_carefully` returns, or its beginning if a quote stands where none may.

    In a text that keeps the grammar a position is inside quotes exactly if an odd number
    of quotes precede it, doubled quotes counting as two. The text keeps it if every odd
    quote follows, and every even quote precedes, a delimiter, a line end, an end of the
    text, or the other half of a doubled quote. Before the first quote that does not, the
    same is true.

    Returns
    -------
    structure
        Of the whole text, or of the records before the one with the misplaced quote.
    broken
        Whether there is one.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    ends, stops = line_ends(text, final)
    delimiters = np.flatnonzero(data == ord(delimiter))
    unclosed = broken = False
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
        unclosed = final and quotes.size % 2 == 1
    settled = int(stops[-1]) if stops.size else 0
    if final and not unclosed and settled < len(text):
        settled = len(text)
        ends, stops = np.append(ends, settled), np.append(stops, settled)
    starts = np.concatenate(([0], stops[:-1])) if stops.size else stops
    if delimiters.size and delimiters[-1] >= settled:
        delimiters = delimiters[: np.searchsorted(delimiters, settled)]
    return Structure(starts, ends, stops, delimiters, {}, settled, unclosed), broken


def first_misplaced(quotes: Positions, data: npt.NDArray[np.uint8], delimiter: bytes) -> int | None:
    """Return the number of the first quote that has no part in the grammar."""
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
    """Return what picks those of ``positions`` that stand outside quotes; both ascend."""
    between = np.searchsorted(positions, quotes)
    if quotes.size % 2:
        between = np.append(between, len(positions))
    first, last = between[0::2], between[1::2]
    holding = first < last
    if not holding.any():
        return slice(None)
    # Quoted cells follow one another, so each first and each last is there once.
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
        parts[-1].settled,
        parts[-1].unclosed,
    )
