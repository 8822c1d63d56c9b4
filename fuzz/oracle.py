"""What must become of a file, worked out byte by byte: slowly, and from the user's page alone.

Nothing of the reader, the parser of numbers or the scorer is used here.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from fuzz.model import COLOURS, MISSING

__all__ = ["Expected", "Readable", "Rules", "expect", "quoted"]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LABELS = ("large", 'small, "tiny"')
# How shares are written, before the decimal mark of the file.
_SHARE = re.compile(r"-?[01]\.[0-9]{4}")
# From the user's page: so many records behind damage are proof, and so far a cell's rest may go.
_PROOF, _REST = 10, 2048
# Characters of a value among the rejects.
_VALUE = 200


class _Line(NamedTuple):
    """One record: where it begins, its text and line end, its cells, what is wrong, and where."""

    start: int
    text: bytes
    line_end: bytes
    cells: list[bytes]
    fault: str
    shown: int = -1


class Rules(Protocol):
    """What a model makes of the cells of a row."""

    @property
    def added(self) -> Sequence[str]:
        """Names of the columns that scoring adds."""
        ...

    def of_row(self, row: dict[str, str], decimal: str) -> tuple[str, str, Sequence[str]]:
        """Return column and reason of a reject, or the cells that are added to the row.

        Numbers among these have a decimal point.
        """
        ...


class Readable(NamedTuple):
    """A record whose cells could be told: its number, they, and what became of it."""

    row: int
    cells: dict[str, str]
    column: str
    reason: str
    added: Sequence[str]


@dataclass
class Expected:
    """What is to come out of a file.

    Attributes
    ----------
    output
        Bytes of the output.
    rejects, lines
        Row, line, column and reason of each reject, and how many lines it covers.
    rows
        Number of rows.
    values
        The cells at fault, cut to 200 characters.
    readable
        The rows that are well-formed records of text.
    """

    output: bytes
    rejects: list[tuple[int, int, str, str]]
    rows: int
    lines: list[int]
    values: list[str] = field(default_factory=list)
    readable: list[Readable] = field(default_factory=list)


def quoted(cell: str, delimiter: str) -> str:
    """Return a cell as a field of a CSV file, in quotes where it has to be."""
    inside = any(sign in cell for sign in (delimiter, '"', "\r", "\n"))
    return '"' + cell.replace('"', '""') + '"' if inside else cell


def expect(
    content: bytes,
    delimiter: str,
    decimal: str,
    encoding: str = "utf-8",
    rules: Rules | None = None,
) -> Expected:
    """Return what is to come out of ``content`` whose header is as it should be.

    ``rules`` are those of ``fuzz.model`` by default.
    """
    rules = _Tenths() if rules is None else rules
    bom = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    content = content[len(bom) :]
    lines = _lines(content, delimiter.encode())
    while not lines[0].text:
        lines.pop(0)
    header = lines.pop(0)
    names = [cell.decode(encoding).strip(" \t") for cell in header.cells]
    added = "".join(delimiter + quoted(name, delimiter) for name in rules.added)
    output = bom + header.text + added.encode(encoding) + header.line_end
    rejects, covered, values, readable = [], [], [], []
    row, beside_stray = 0, False
    for line in lines:
        stray = line.line_end == (b"\n" if header.line_end == b"\r" else b"\r")
        own_stray, beside_stray = stray or beside_stray, stray
        if not line.text:
            continue
        row += 1
        number = 1 + len(re.findall(rb"\r\n|\r|\n", content[: line.start]))
        column, suffix = "", ""
        reason, cells = _told(line, len(names), own_stray, encoding)
        if not reason:
            own = dict(zip(names, cells, strict=True))
            column, reason, found = rules.of_row(own, decimal)
            readable.append(Readable(row, own, column, reason, found))
            suffix = "".join(delimiter + _shown(cell, delimiter, decimal) for cell in found)
        if reason:
            rejects.append((row, number, column, reason))
            values += [_cut(own[column])] if column else []
            covered.append(1 + len(re.findall(rb"\r\n|\r|\n", line.text)))
        else:
            output += line.text + suffix.encode(encoding) + line.line_end
    return Expected(output, rejects, row, covered, values, readable)


def _lines(content: bytes, delimiter: bytes) -> list[_Line]:
    lines, position, columns = [], 0, 0
    while position < len(content):
        line = _line(content, position, delimiter)
        if columns and (line is None or line.fault):
            line = _damaged(content, position, delimiter, columns, line)
        columns = columns or len(line.cells) * (line.text != b"")
        lines.append(line)
        position += len(line.text) + len(line.line_end)
    return lines


def _damaged(
    content: bytes, start: int, delimiter: bytes, columns: int, line: _Line | None
) -> _Line:
    """Return a record that breaks the quoting; without ``line``, its last quote never closes."""
    shown = len(content) if line is None else line.shown
    fault = "unclosed_quote" if line is None else line.fault
    for text, line_end in _endings(content, start):
        begin = text + len(line_end)
        if begin > shown:
            break
        if _goes_on(content, begin, shown, delimiter, columns):
            return _Line(start, content[start:text], line_end, [], fault)
    if line is None:
        return _Line(start, content[start:], b"", [], fault)
    return _with_rest(content, line, delimiter, columns)


def _endings(content: bytes, start: int) -> list[tuple[int, bytes]]:
    """Where line ends stand from ``start`` on, and what they are."""
    found, position = [], start
    while position < len(content):
        size = 2 if content[position : position + 2] == b"\r\n" else 1
        if content[position : position + 1] in (b"\r", b"\n"):
            found.append((position, content[position : position + size]))
            position += size
        else:
            position += 1
    return found


def _goes_on(content: bytes, position: int, shown: int, delimiter: bytes, columns: int) -> bool:
    proof = 0
    while proof < _PROOF and position <= min(shown, len(content) - 1):
        line = _line(content, position, delimiter)
        if line is None or line.fault or (line.text and len(line.cells) != columns):
            return False
        proof += bool(line.text)
        position += len(line.text) + len(line.line_end)
    return True


def _with_rest(content: bytes, line: _Line, delimiter: bytes, columns: int) -> _Line:
    """Return the line, with the rest of a cell that begins on it where that can be told."""
    edges = (delimiter, b"\r", b"\n")
    position, cells = line.start, 1
    behind = line.start + len(line.text) + len(line.line_end)
    while True:
        close = position
        if content[position : position + 1] == b'"':
            close += 1
            while close < len(content) and not (
                content[close : close + 1] == b'"'
                and content[close + 1 : close + 2] in (*edges, b"")
            ):
                close += 1
            if close + 1 - line.start > _REST or close >= len(content):
                close = position
        while close < len(content) and content[close : close + 1] not in edges:
            close += 1
        if close - line.start >= _REST and close < len(content):
            return line
        if content[close : close + 1] != delimiter:
            break
        position, cells = close + 1, cells + 1
    if close < behind or cells != columns or behind - line.start >= _REST:
        return line
    for begin in [behind, *(at + len(ending) for at, ending in _endings(content[:close], behind))]:
        other = _line(content, begin, delimiter)
        if other and other.text and not other.fault and len(other.cells) == columns:
            return line
    line_end = re.match(rb"\r\n|\r|\n|", content[close:])[0]
    return line._replace(text=content[line.start : close], line_end=line_end)


def _line(content: bytes, start: int, delimiter: bytes) -> _Line | None:
    cells, position = [], start
    while True:
        cell = b""
        quoted = content[position : position + 1] == b'"'
        if quoted:
            position += 1
            while True:
                if position >= len(content):
                    return None
                byte = content[position : position + 1]
                position += 1
                if byte != b'"':
                    cell += byte
                elif content[position : position + 1] == b'"':
                    cell += b'"'
                    position += 1
                else:
                    break
        else:
            while position < len(content):
                byte = content[position : position + 1]
                if byte in (delimiter, b"\r", b"\n", b'"'):
                    break
                cell += byte
                position += 1
        cells.append(cell)
        byte = content[position : position + 1]
        if byte == delimiter:
            position += 1
            continue
        fault, shown = "", position
        if byte not in (b"", b"\r", b"\n"):
            fault = "text_after_quote" if quoted else "bare_quote"
            while content[position : position + 1] not in (b"", b"\r", b"\n"):
                position += 1
        end = position
        if content[position : position + 2] == b"\r\n":
            position += 2
        elif position < len(content):
            position += 1
        return _Line(start, content[start:end], content[end:position], cells, fault, shown)


def _told(line: _Line, columns: int, stray: bool, encoding: str) -> tuple[str, list[str]]:
    """Return why a record is rejected as a whole, or its cells."""
    if line.fault:
        return line.fault, []
    if stray:
        return "stray_line_end", []
    try:
        cells = [cell.decode(encoding) for cell in line.cells]
        line.text.decode(encoding)
    except UnicodeDecodeError:
        return "undecodable", []
    if b"\0" in line.text:
        return "nul_byte", []
    return ("wrong_field_count" if len(cells) != columns else ""), cells


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "\u2026"


def _shown(cell: str, delimiter: str, decimal: str) -> str:
    if _SHARE.fullmatch(cell):
        cell = cell.replace(".", decimal)
    return quoted(cell, delimiter)


class _Tenths:
    """The rules of ``fuzz.model``."""

    added = ("predicted_kind", "confidence")

    def of_row(self, row: dict[str, str], decimal: str) -> tuple[str, str, Sequence[str]]:
        """Return a reject, or label and confidence."""
        row = {name: cell.strip(" \t") for name, cell in row.items()}
        numbers = {}
        for name in ("size", "age"):
            if row[name] in MISSING:
                if name == "size":
                    return name, "missing_value", ()
                numbers[name] = 5.0
                continue
            text = row[name]
            if decimal == ",":
                text = text.translate(str.maketrans(",.", ".,"))
            if not _NUMBER.fullmatch(text) or abs(float(text)) == float("inf"):
                return name, "not_a_number", ()
            numbers[name] = float(text)
        try:
            size, _ = (
                struct.unpack("<f", struct.pack("<f", numbers[n]))[0] for n in ("size", "age")
            )
        except OverflowError:
            return "", "not_finite", ()
        large = min(max(size / 10, 0.0), 1.0)
        large = 1 - large if row["colour"] == COLOURS[1] else large
        share = max(large, 1 - large)
        label = _LABELS[0] if large >= 1 - large else _LABELS[1]
        # Python rounds to the nearest, halves to even, as is done with units of 1/10,000.
        return "", "", (label, f"{round(share * 10_000) / 10_000:.4f}")
