"""Records of one stretch of a file, judged: the good ones as positions, the bad ones named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.tabular.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.structure import Positions, Structure, line_ends

__all__ = ["Block", "Place", "judge"]


@dataclass(frozen=True, eq=False)
class Block:
    """Well-formed records of one stretch of a file [n], and the rejects among them.

    Attributes
    ----------
    text
        UTF-8 bytes that all positions refer to. After the file's own bytes may follow
        cells that had doubled quotes, without them.
    rows, lines
        Row number (1 = first data record) and physical line of each record [n].
    starts, ends, stops
        Record ``i`` is ``text[starts[i]:ends[i]]``, its line end ``text[ends[i]:stops[i]]``.
    cell_starts, cell_ends
        Cell of column ``c`` in record ``i``, without its quotes: ``[C, n]``.
    rejects
        The other records of the stretch, in order.
    """

    text: bytes
    rows: Positions
    lines: Positions
    starts: Positions
    ends: Positions
    stops: Positions
    cell_starts: Positions
    cell_ends: Positions
    rejects: tuple[Reject, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def data(self) -> npt.NDArray[np.uint8]:
        """``text`` as an array."""
        return np.frombuffer(self.text, dtype=np.uint8)

    @classmethod
    def of_rejects(cls, rejects: Sequence[Reject], columns: int) -> Block:
        """Return a block of no records."""
        none = np.empty(0, dtype=np.int64)
        cells = np.empty((columns, 0), dtype=np.int64)
        return cls(b"", none, none, none, none, none, cells, cells, tuple(rejects))

    def take(self, records: npt.NDArray[np.bool_]) -> Block:
        """Return the block of the records where the mask [n] is true, with no rejects."""
        return Block(
            self.text,
            self.rows[records],
            self.lines[records],
            self.starts[records],
            self.ends[records],
            self.stops[records],
            self.cell_starts[:, records],
            self.cell_ends[:, records],
            (),
        )

    def cells(self, column: int) -> list[str]:
        """Return the texts of a column [n]."""
        starts, ends = self.cell_starts[column].tolist(), self.cell_ends[column].tolist()
        # In ASCII a byte's position is its character's: one decoding serves all cells.
        if (characters := self._characters) is not None:
            return [characters[a:b] for a, b in zip(starts, ends, strict=True)]
        return [self.text[a:b].decode() for a, b in zip(starts, ends, strict=True)]

    def records(self) -> list[bytes]:
        """Return every record [n] exactly as in the file (as UTF-8), without its line end."""
        return self._slices(self.starts, self.ends)

    def line_ends(self) -> list[bytes]:
        """Return the line end of every record [n]; that of a file's last may be empty."""
        if b"\r" not in self.text and bool((self.stops > self.ends).all()):
            return [b"\n"] * len(self)
        return self._slices(self.ends, self.stops)

    @cached_property
    def _characters(self) -> str | None:
        return self.text.decode("ascii") if self.text.isascii() else None

    def _slices(self, starts: Positions, ends: Positions) -> list[bytes]:
        text = self.text
        return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


class Place(NamedTuple):
    """How far a file has been read.

    Attributes
    ----------
    rows
        Records so far, good and bad.
    lines
        Line ends so far.
    blank_lines
        Lines with nothing on them so far.
    after_stray
        True if the last line end was not one of the file's kind.
    """

    rows: int
    lines: int
    blank_lines: int = 0
    after_stray: bool = False


def judge(
    text: bytes, structure: Structure, place: Place, columns: int, line_feeds: bool
) -> tuple[Block, Place]:
    """Return the records of ``structure`` and the place after them.

    Parameters
    ----------
    text
        The settled text of the structure, no more.
    place
        Where in the file the text begins.
    columns
        Fields a record must have.
    line_feeds
        True if the file's lines end with LF or CRLF, False if with CR or CRLF.
    """
    starts, ends, stops = structure.starts, structure.ends, structure.stops
    used = ends > starts
    rows = place.rows + np.cumsum(used)
    all_ends, all_stops = line_ends(text, final=True)
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
        value = shorten(text[starts[i] : ends[i]])
        return Reject(int(rows[i]), int(lines[i]), "", value, reasons[i], detail)

    good = used.copy()
    good[list(reasons)] = False
    delimiters = structure.delimiters[first[good] + np.arange(columns - 1)[:, np.newaxis]]
    cell_starts = np.vstack((starts[good], delimiters + 1))
    cell_ends = np.vstack((delimiters, ends[good]))
    block = Block(
        _unquote(text, cell_starts, cell_ends),
        rows[good],
        lines[good],
        starts[good],
        ends[good],
        stops[good],
        cell_starts,
        cell_ends,
        tuple(map(reject, sorted(reasons))),
    )
    after = Place(
        int(rows[-1]) if len(rows) else place.rows,
        place.lines + len(all_ends),
        place.blank_lines + int(np.count_nonzero(~used)),
        bool(foreign[-1]) if len(foreign) else place.after_stray,
    )
    return block, after


def _fields(structure: Structure, columns: int) -> tuple[Positions, Positions]:
    """Each record's first delimiter, by number, and its count of fields."""
    starts, ends, delimiters = structure.starts, structure.ends, structure.delimiters
    if columns > 1 and len(delimiters) == len(starts) * (columns - 1):
        table = delimiters.reshape(-1, columns - 1)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            first = np.arange(0, len(delimiters), columns - 1)
            return first, np.full(len(starts), columns)
    first = np.searchsorted(delimiters, starts)
    return first, np.searchsorted(delimiters, ends) - first + 1


def _foreign(text: bytes, structure: Structure, line_feeds: bool) -> npt.NDArray[np.bool_]:
    """Which records end with a line end that is not the file's."""
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


def _unquote(text: bytes, cell_starts: Positions, cell_ends: Positions) -> bytes:
    """Move cells' bounds inside their quotes; return the text with undoubled cells appended."""
    if b'"' not in text:
        return text
    data = np.frombuffer(text + b" ", dtype=np.uint8)  # an empty last cell starts at the end
    quoted = (data[cell_starts] == ord('"')) & (cell_ends > cell_starts)
    cell_starts += quoted
    cell_ends -= quoted
    if b'""' not in text:
        return text
    parts, length = [text], len(text)
    for place in zip(*np.nonzero(quoted), strict=True):
        cell = text[cell_starts[place] : cell_ends[place]]
        if b'""' in cell:
            plain = cell.replace(b'""', b'"')
            cell_starts[place], cell_ends[place] = length, length + len(plain)
            parts.append(plain)
            length += len(plain)
    return b"".join(parts)
