"""Streaming CSV reader that accounts for every record.

A file is read in blocks. Each `Block` holds the well-formed records of one byte range of the file,
as positions in its bytes, and a `Reject` for every other record. Where RFC 4180 is silent, or
files deviate from it:

- A record that breaks the quoting rules is rejected; ``recovery`` determines where it ends. A
  record with more or fewer fields than the header, with a NUL, or with bytes that are not text is
  rejected, too. Nothing is repaired, so no value ends up in another column.
- A record is at most ``record_limit`` bytes long, which bounds the memory. If one is longer, and
  no line inside it is known to begin another record, every line from there to the end of the file
  is a rejected record.
- The header's line end is taken as the file's. LF may be mixed with CRLF, and CR with CRLF. At a
  lone CR in the first case, or a lone LF in the second, both adjacent records are rejected,
  because it might be part of a cell.
- An empty line is not a record and has no row number. ``blank_lines`` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ffn.errors import DataError, SettingsError, quote
from ffn.storage.compression import ByteStream, DecompressingReader
from ffn.tabular.csv.encoding import Utf8Stream
from ffn.tabular.csv.header import DELIMITERS, Header, Opening, header_error, parse_header
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.fast_path import read_regular
from ffn.tabular.csv.parsing.fixed_width import FixedWidthBlock
from ffn.tabular.csv.parsing.grammar import (
    Record,
    Structure,
    line_ends,
    read_record,
)
from ffn.tabular.csv.parsing.position import Counts, Mark, Place
from ffn.tabular.csv.parsing.recovery import Shape
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.csv.parsing.scanner import scan
from ffn.tabular.csv.parsing.validation import validate

__all__ = ["Records"]

# A block's bytes, and one column's positions and numbers, then fit in the L2 cache.
_BLOCK_SIZE = 512 * 1024
_RECORD_LIMIT = 16 * 1024 * 1024
_READ_AT_MOST = 4 * 1024 * 1024
# Each name takes about a hundred bytes of memory.
_MOST_COLUMNS = 1_000_000
# More bytes than `shorten` shows.
_LINE_KEPT = 4096
# Bytes below the first record that are searched for the header in an error message.
_OPENING = 16 * 1024


class Records:
    """The header of a CSV file, and an iterator over its records in `Block` objects.

    Parameters
    ----------
    stream
        Binary file, pipe or ``io.BytesIO``, read forward only; may be compressed with gzip or
        Zstandard.
    name
        Name of the file in errors.
    delimiter
        One of `DELIMITERS`.
    given_encoding
        One of `ENCODINGS`; None (the default): UTF-8, or the encoding of a byte order mark.
    block_size
        Bytes to read at a time; affects only how records are grouped into blocks. By default a
        block fits in the L2 cache.
    record_limit
        Longest record in bytes, which bounds the memory.

    Attributes
    ----------
    header
        The `Header`, read on construction.
    compression
        As in `DecompressingReader`.
    bom, encoding
        As in `Utf8Stream`.
    header_end
        Byte offset behind the header's line; valid for UTF-8 files only.
    shape
        Delimiter, number of fields and size limit of the records.
    counts
        Numbers of blocks and records by the way they were read.
    began
        Byte offset of the current block in the file.
    given_up
        Whether every line from here to the end of the file is rejected.

    Raises
    ------
    SettingsError
        The delimiter is not one of `DELIMITERS`.
    DataError
        The file is empty or not a CSV file, or its header is invalid.
    """

    def __init__(
        self,
        stream: ByteStream,
        name: str,
        *,
        delimiter: str = ",",
        given_encoding: str | None = None,
        block_size: int = _BLOCK_SIZE,
        record_limit: int = _RECORD_LIMIT,
    ) -> None:
        if delimiter not in DELIMITERS:
            known = " ".join(map(quote, DELIMITERS))
            raise SettingsError(f"delimiter {quote(delimiter)} is not one of {known}.")
        self.delimiter = delimiter
        self.counts = Counts()
        self._name = name
        self._delimiter = delimiter.encode()
        self._block_size = block_size
        self._record_limit = record_limit
        unpacked = DecompressingReader(stream, name)
        self.compression = unpacked.compression
        self._stream = Utf8Stream(unpacked, name, given_encoding)
        self.bom, self.encoding = self._stream.bom, self._stream.encoding
        self._text, self._ahead, self._final = b"", b"", False
        self._offset, self._place = len(self.bom), Place(rows=0, lines=0)
        self.given_up = False
        self.began = 0
        self.header = self._read_header()
        self.header_end = self._offset
        self.shape = Shape(self._delimiter, len(self.header.names), record_limit)

    @property
    def rows(self) -> int:
        """Number of records so far, good and rejected, without the header."""
        return self._place.rows

    @property
    def blank_lines(self) -> int:
        """Number of empty lines so far."""
        return self._place.blank_lines

    @property
    def mark(self) -> Mark:
        """Position of the next record; undefined once ``given_up``."""
        return Mark(self._offset, self._place)

    def go_to(self, mark: Mark) -> None:
        """Continue at ``mark``; the caller has already moved the stream to its offset."""
        self._stream.forget()
        self._text, self._ahead, self._final = b"", b"", False
        self._offset, self._place = mark

    def add_counts(self, more: Counts) -> None:
        """Add ``more`` to ``counts``, for instance those of another process."""
        self.counts = Counts(*map(sum, zip(self.counts, more, strict=True)))

    def encode(self, text: bytes) -> bytes:
        """Return UTF-8 ``text`` in the encoding of the file."""
        return self._stream.encode(text)

    def __iter__(self) -> Iterator[Block]:
        """Read the rest of the file."""
        return self.blocks()

    def blocks(self, until: int | None = None) -> Iterator[Block]:
        """Yield the records that begin before a byte offset.

        Parameters
        ----------
        until
            Byte offset in the file; None (the default) reads to the end. With an offset, ``mark``
            is afterwards at the first record that begins at or after it; if all lines from some
            record on would have to be rejected, reading stops there, because that decision needs
            the rest of the file.
        """
        columns, line_feeds = len(self.header.names), self.header.line_end != b"\r"
        while until is None or self._offset < until:
            self.began = self._offset
            block, tail = self._regular(until), None
            if block is None:
                structure = self._scan()
                if structure.given_up:
                    tail = Reason.RECORD_TOO_LONG
                if until is not None and self._offset + structure.consumed > until:
                    inside = int(np.searchsorted(structure.starts, until - self._offset))
                    if inside < len(structure.starts):
                        structure, tail = structure.before(inside), None
                text = self._text[: structure.consumed]
                self._drop(structure.consumed)
                block, self._place = validate(text, structure, self._place, columns, line_feeds)
            if len(block) or block.rejects:
                yield block
            if tail is not None:
                if until is None:
                    yield from self._reject_lines(tail)
                return
            if self._final:
                return
            if until is None or self._offset < until:
                self._read_more(until)

    def _regular(self, until: int | None) -> Block | None:
        """Read the buffered text on the fast path; None if that does not apply."""
        self.add_counts(Counts(blocks=1))
        size, columns = len(self._text), len(self.header.names)
        beyond = until is not None and self._offset + size > until
        if beyond or self.header.line_end not in (b"\n", b"\r\n"):
            return None
        found = read_regular(self._text, self._place, self._delimiter, columns, self._final)
        if found is None:
            return None
        block, place = found
        consumed = block.consumed
        if max(block.longest, size - consumed) > self._record_limit:
            return None
        self._drop(consumed)
        self._place = place
        self.add_counts(Counts(regular=1, fixed_width=isinstance(block, FixedWidthBlock)))
        return block

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._offset += count
        if count and len(self._text) > 2 * self._block_size:
            # Text read ahead to find the end of a damaged record is returned block by block.
            self._ahead = self._text[self._block_size :] + self._ahead
            self._text, self._final = self._text[: self._block_size], False

    def _read_more(self, until: int | None = None) -> None:
        size = self._block_size
        if until is not None:
            # Little beyond it, as another process scans that part.
            size = min(size, max(until - self._offset - len(self._text), _LINE_KEPT))
        # Doubling the pending text keeps the cost of a long record linear.
        size = max(size, min(len(self._text), _READ_AT_MOST))
        if self._ahead:
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            chunk = self._stream.read(size)
        self._final = not chunk
        self._text += chunk

    def _scan(self) -> Structure:
        """Return the structure of the buffered text, or of its beginning."""
        structure, careful = scan(self._text, self.shape, self._final, enough=2 * self._block_size)
        self.add_counts(Counts(careful=careful))
        return structure

    def _reject_lines(self, reason: Reason) -> Iterator[Block]:
        """Reject every line from here to the end of the file."""
        self.given_up = True
        while True:
            rejects: list[Reject] = []
            start = 0
            for end, stop in zip(*line_ends(self._text, self._final), strict=True):
                rejects += self._reject_line(self._text[start:end], reason)
                start = int(stop)
            self._text = self._text[start:]
            if self._final:
                rejects += self._reject_line(self._text, reason) if self._text else ()
            if rejects:
                yield Block.of_rejects(rejects, len(self.header.names))
            if self._final:
                return
            if len(self._text) > 2 * _LINE_KEPT:
                self._text = self._text[:_LINE_KEPT] + self._text[-1:]
            self._read_more()

    def _reject_line(self, line: bytes, reason: Reason) -> list[Reject]:
        rows, lines, blank_lines, _ = self._place
        if not line:
            self._place = Place(rows, lines + 1, blank_lines + 1)
            return []
        self._place = Place(rows + 1, lines + 1, blank_lines)
        return [Reject(rows + 1, lines + 1, 1, "", shorten(line), reason, DETAILS[reason])]

    def _read_header(self) -> Header:
        start = 0
        while True:
            if start == len(self._text) and self._final:
                found = "has blank lines only" if self._place.lines else "is empty"
                raise DataError(f"{self._name} {found}. Give a CSV file with a header line.")
            record = None
            if start < len(self._text):
                record = read_record(self._text, start, self._delimiter, self._final)
            if record is None:
                if len(self._text) - start > self._record_limit:
                    where = f"{self._name} line {self._place.lines + 1}"
                    raise header_error(where, DETAILS[Reason.RECORD_TOO_LONG])
                if self._text.count(self._delimiter, start) > _MOST_COLUMNS:
                    where = f"{self._name} line {self._place.lines + 1}"
                    raise header_error(where, f"more than {_MOST_COLUMNS:,} columns")
                self._drop(start)
                start = 0
                self._read_more()
            elif record.end > start:
                return self._accept_header(start, record)
            else:
                start = record.stop
                self._place = Place(0, self._place.lines + 1, self._place.blank_lines + 1)

    def _accept_header(self, start: int, record: Record) -> Header:
        where = f"{self._name} line {self._place.lines + 1}"
        header = parse_header(self._text, start, record, where, self.encoding)
        line = self._place.lines + 1
        self._stream.check_header(header.text)
        lines = len(line_ends(self._text[start : record.stop], final=True)[0])
        self._place = self._place._replace(lines=self._place.lines + lines)
        self._drop(record.stop)
        below = self._text[:_OPENING]
        if not self._final or len(below) < len(self._text):
            # The last line may be incomplete.
            below = below[: below.rfind(b"\n") + 1]
        opening = Opening(below, line + lines, self.encoding)
        return replace(header, line=line, opening=opening)
