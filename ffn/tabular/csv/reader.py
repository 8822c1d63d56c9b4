"""The only reader of CSV bytes: a stream of records, every one accounted for.

A file is read a block at a time. Each `Block` holds the well-formed records of one stretch
of the file, as positions in its bytes, and a `Reject` for every other. Where RFC 4180 is
silent, or files stray from it:

- A record that breaks the quoting rules is rejected; where it ends, ``recovery`` says. One with
  more or fewer fields than the header, with a NUL, or with bytes that are no text is rejected
  too. Nothing is repaired, so nothing shifts into another column.
- A record is at most ``record_limit`` bytes long, which bounds the memory. Where one is longer
  and no line in it is known to be a record of its own, every line from there to the end of the
  file is a rejected record.
- The header's line end is the file's. LF and CRLF may be mixed, and so may CR and CRLF. At
  a lone CR in the former and a lone LF in the latter the two records that meet are
  rejected: it may as well be part of a cell.
- A line with nothing on it is no record and has no row number. ``blank_lines`` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ffn.errors import DataError, SettingsError, quote
from ffn.storage.compression import ByteStream, Unpacked
from ffn.tabular.csv.encoding import Utf8Stream
from ffn.tabular.csv.header import DELIMITERS, Header, Opening, header_error, parse_header
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.fast_path import read_regular
from ffn.tabular.csv.parsing.fixed_width import AlikeBlock
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

# A block's bytes, and one column's positions and numbers, then stay in the second-level cache.
_BLOCK_SIZE = 512 * 1024
_RECORD_LIMIT = 16 * 1024 * 1024
_READ_AT_MOST = 4 * 1024 * 1024
# The names alone take some hundred bytes each.
_MOST_COLUMNS = 1_000_000
# More than `shorten` shows.
_LINE_KEPT = 4096
# Bytes below the header that tell of a file which does not begin with it.
_OPENING = 16 * 1024


class Records:
    """A CSV file's header, and its records as an iterator of `Block` s.

    Parameters
    ----------
    stream
        Binary file, pipe or ``io.BytesIO``, read forward only; as it is, or in a gzip or
        Zstandard archive.
    name
        What errors call the file.
    delimiter
        One of `DELIMITERS`.
    given_encoding
        One of `ENCODINGS`; None: UTF-8, or what a byte order mark says.
    block_size
        Bytes to read at a time. It decides how records are grouped into blocks, nothing else.
    record_limit
        Bytes in the longest text that is one record.

    Attributes
    ----------
    header
        The `Header`, read at once.
    compression
        As in `Unpacked`.
    bom, encoding
        As in `Utf8Stream`.
    shape
        Of every record, as the header has it.
    counts
        How it went.
    given_up
        True from where every line to the end of the file is a rejected record.

    Raises
    ------
    SettingsError
        The delimiter is none of `DELIMITERS`.
    DataError
        The file is not a CSV file or empty, or its header is at fault.
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
        unpacked = Unpacked(stream, name)
        self.compression = unpacked.compression
        self._stream = Utf8Stream(unpacked, name, given_encoding)
        self.bom, self.encoding = self._stream.bom, self._stream.encoding
        self._text, self._ahead, self._final = b"", b"", False
        self._offset, self._place = len(self.bom), Place(rows=0, lines=0)
        self.given_up = False
        self.began = 0
        self.header = self._read_header()
        self.shape = Shape(self._delimiter, len(self.header.names), record_limit)

    @property
    def rows(self) -> int:
        """Records so far, good and rejected, without the header."""
        return self._place.rows

    @property
    def blank_lines(self) -> int:
        """Lines with nothing on them so far."""
        return self._place.blank_lines

    @property
    def mark(self) -> Mark:
        """Where the next record begins; not to be asked once ``given_up``."""
        return Mark(self._offset, self._place)

    def go_to(self, mark: Mark) -> None:
        """Go on from ``mark``, to whose offset the caller has moved the stream."""
        self._stream.forget()
        self._text, self._ahead, self._final = b"", b"", False
        self._offset, self._place = mark

    def add_counts(self, more: Counts) -> None:
        """Count blocks and records, read here or elsewhere."""
        self.counts = Counts(*map(sum, zip(self.counts, more, strict=True)))

    def encode(self, text: bytes) -> bytes:
        """Return UTF-8 ``text`` in the encoding of the file."""
        return self._stream.encode(text)

    def __iter__(self) -> Iterator[Block]:
        """Read on to the end of the file."""
        return self.blocks()

    def blocks(self, until: int | None = None) -> Iterator[Block]:
        """Read the records that begin before byte ``until`` of the file; by default all.

        It ends with ``mark`` at the first record that does not. Where every line from some
        record on has to be rejected, it ends there if ``until`` is given: to say so takes all
        of the file.
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
        """Read the text at hand if nothing about it is special."""
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
        self.add_counts(Counts(regular=1, alike=isinstance(block, AlikeBlock)))
        return block

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._offset += count
        if count and len(self._text) > 2 * self._block_size:
            # Read to see where a damaged record ends; its turn comes a block at a time.
            self._ahead = self._text[self._block_size :] + self._ahead
            self._text, self._final = self._text[: self._block_size], False

    def _read_more(self, until: int | None = None) -> None:
        size = self._block_size
        if until is not None:
            # Little beyond: what is read there is for somebody else to scan.
            size = min(size, max(until - self._offset - len(self._text), _LINE_KEPT))
        # As much again as is pending: a long record then costs no more than its length.
        size = max(size, min(len(self._text), _READ_AT_MOST))
        if self._ahead:
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            chunk = self._stream.read(size)
        self._final = not chunk
        self._text += chunk

    def _scan(self) -> Structure:
        """Structure of the text at hand, or of its beginning."""
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
            # The last line may go on.
            below = below[: below.rfind(b"\n") + 1]
        opening = Opening(below, line + lines, self.encoding)
        return replace(header, line=line, opening=opening)
