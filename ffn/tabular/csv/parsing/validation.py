"""Validate records: build a block of the good ones, and rejects of the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffn.tabular.csv.parsing.blocks import Block, unquote
from ffn.tabular.csv.parsing.grammar import Positions, Structure, count_lines, line_ends
from ffn.tabular.csv.parsing.position import Place
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason, Reject, shorten

__all__ = ["validate"]


def validate(
    text: bytes, structure: Structure, place: Place, columns: int, line_feeds: bool
) -> tuple[Block, Place]:
    """Return the records of ``structure`` as a block, and the reading position after them.

    Parameters
    ----------
    text
        The bytes that belong to ``structure``, and no more.
    structure
        Positions of the records in ``text``.
    place
        Position of ``text`` in the file.
    columns
        Number of fields that a record must have.
    line_feeds
        True if the file's lines end with LF or CRLF; False for CR or CRLF.
    """
    starts, ends, stops = structure.starts, structure.ends, structure.stops
    used = ends > starts
    rows = place.rows + np.cumsum(used)
    line_end, count = _line_ends(text)
    if count == np.count_nonzero(stops > ends):
        lines = place.lines + 1 + np.arange(len(starts))
    else:
        line_end = b""
        all_stops = line_ends(text, final=True)[1]
        lines = place.lines + 1 + np.searchsorted(all_stops, starts, side="right")
    first, fields = _fields(structure, columns)
    foreign = _foreign(text, structure, line_feeds)
    meets_foreign = foreign | np.concatenate(([place.after_stray], foreign[:-1]))[: len(foreign)]

    reasons = dict(structure.faults)
    for reason, found in (
        (Reason.STRAY_LINE_END, np.flatnonzero(meets_foreign).tolist()),
        (Reason.UNDECODABLE, _undecodable(text, structure)),
        (Reason.NUL_BYTE, _with_nul(text, structure)),
        (Reason.WRONG_FIELD_COUNT, np.flatnonzero(fields != columns).tolist()),
    ):
        for i in found:
            if used[i]:
                reasons.setdefault(i, reason)

    def reject(i: int) -> Reject:
        detail = DETAILS[reasons[i]].format(found=fields[i], expected=columns)
        record = text[starts[i] : ends[i]]
        line, count = int(lines[i]), count_lines(record)
        return Reject(int(rows[i]), line, count, "", shorten(record), reasons[i], detail)

    good = used.copy()
    good[list(reasons)] = False
    whole = bool(good.all())
    of_good: npt.NDArray[np.bool_] | slice = slice(None) if whole else good
    if whole and columns > 1:
        delimiters = structure.delimiters.reshape(-1, columns - 1).T
    else:
        delimiters = structure.delimiters[first[good] + np.arange(columns - 1)[:, np.newaxis]]
    cell_starts = np.vstack((starts[of_good], delimiters + 1))
    cell_ends = np.vstack((delimiters, ends[of_good]))
    # Without a final line end, each record's own line end has to be used.
    divisible = bool(line_end) and text.endswith(line_end)
    block = Block(
        unquote(text, cell_starts, cell_ends),
        rows[of_good],
        lines[of_good],
        starts[of_good],
        ends[of_good],
        stops[of_good],
        cell_starts,
        cell_ends,
        tuple(map(reject, sorted(reasons))),
        line_end if divisible else b"",
    )
    after = Place(
        int(rows[-1]) if len(rows) else place.rows,
        place.lines + count,
        place.blank_lines + len(used) - int(np.count_nonzero(used)),
        bool(foreign[-1]) if len(foreign) else place.after_stray,
    )
    return block, after


def _line_ends(text: bytes) -> tuple[bytes, int]:
    """Return the line end (empty if there are several kinds) and the number of line ends."""
    data = np.frombuffer(text, dtype=np.uint8)
    feeds = int(np.count_nonzero(data == ord("\n")))
    if b"\r" not in text:
        return b"\n", feeds
    returns = data == ord("\r")
    lone_or_not = int(np.count_nonzero(returns))
    pairs = int(np.count_nonzero(returns[:-1] & (data[1:] == ord("\n"))))
    count = feeds + lone_or_not - pairs
    if pairs == feeds == lone_or_not:
        return b"\r\n", count
    return b"" if feeds else b"\r", count


def _fields(structure: Structure, columns: int) -> tuple[Positions, Positions]:
    """Return the index of each record's first delimiter, and its number of fields."""
    starts, ends, delimiters = structure.starts, structure.ends, structure.delimiters
    if columns > 1 and len(delimiters) == len(starts) * (columns - 1):
        table = delimiters.reshape(-1, columns - 1)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            first = np.arange(0, len(delimiters), columns - 1)
            return first, np.full(len(starts), columns)
    first = np.searchsorted(delimiters, starts)
    return first, np.searchsorted(delimiters, ends) - first + 1


def _foreign(text: bytes, structure: Structure, line_feeds: bool) -> npt.NDArray[np.bool_]:
    """Return a mask of the records whose line end is not of the file's kind."""
    if b"\r" not in text and line_feeds:
        return np.zeros(len(structure.starts), dtype=bool)
    data = np.frombuffer(text + b" ", dtype=np.uint8)  # a last record may have no line end
    foreign: npt.NDArray[np.bool_] = data[structure.ends] == ord("\r" if line_feeds else "\n")
    foreign &= structure.stops - structure.ends == 1
    return foreign


def _undecodable(text: bytes, structure: Structure) -> list[int]:
    try:
        text.decode()
    except UnicodeDecodeError:
        pass
    else:
        return []
    bad = []
    for i, (a, b) in enumerate(zip(structure.starts, structure.ends, strict=True)):
        try:
            text[a:b].decode()
        except UnicodeDecodeError:
            bad.append(i)
    return bad


def _with_nul(text: bytes, structure: Structure) -> list[int]:
    if b"\0" not in text:
        return []
    nuls = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0)
    records = np.searchsorted(structure.starts, nuls, side="right") - 1
    return sorted(set(records.tolist()))
