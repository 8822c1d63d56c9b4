"""Files as people have them, and what disks, editors and scripts do to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

__all__ = ["WHOLE", "Case", "Layout", "file_of", "make_case"]

_PIECES = (
    b'"', b'""', b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"\0", b"\xff", b"\xc3", b"\xa9",
    b" ", b"1", b".", b"-", b"e9", b"NA", b"\xef\xbb\xbf", b"\xc2\xa0",
)  # fmt: skip
_IDS = (
    "007",
    "",
    " x ",
    "a,b",
    'say "hi"',
    "two\nlines",
    "\u00e9\U0001f600",
    "=1+1",
    "1;2",
    "x\ty",
    # What looks like records and is none.
    "\n".join(["1,2,3,red"] * 8),
)
_SIZES = ("7.3", "1", "-.5", "+2e-1", "0.000", "10", " 4.25 ", "3.", "123456789.25", "5.00000001")
_NO_SIZES = (
    "",
    "NA",
    "1_4",
    "x",
    "\u0661",
    "1e999",
    "1e39",
    "0x1F",
    "inf",
    "1.2.3",
    "-",
    "--1",
    "1 2",
)
_COLOURS = ("blue", "red", "dark blue, or \u00e9cru", "green", "", "NA", " red ", "Red")


# Of the cases, so many are scored by way of the disk, which takes as long as some fifty others.
WHOLE = 0.01
# And so many are not UTF-8. The first of these has no character for five of the bytes.
_ONE_BYTE = 0.1
_ENCODINGS = ("cp1252", "iso8859-1", "cp1251")


@dataclass(frozen=True)
class Case:
    """A file, and how it is to be read.

    Attributes
    ----------
    sound
        Whether the header is as it should be.
    at_once, cuts
        Bytes a read gives at most, and where the file is cut into ranges.
    encoding
        As a command gives it; None where it gives none.
    step
        Bytes of a block where it is also scored from a file to files; 0 where it is not.
    """

    content: bytes
    delimiter: str
    decimal: str
    sound: bool
    block_size: int
    at_once: int
    cuts: tuple[int, ...]
    step: int = 0
    encoding: str | None = None


def make_case(seed: int, number: int) -> Case:
    """Return case ``number`` of a seed."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311
    delimiter = chance.choice(",,,;\t|")
    decimal = chance.choice("..." if delimiter == "," else ".,")
    layout = Layout(delimiter, decimal, chance.choice(("\n", "\n", "\r\n", "\r")))
    names = chance.sample(["id", "size", "age", "colour"], 4)
    names += chance.choice(([], ["note"], ["note", "note"]))
    chance.shuffle(names)
    return file_of(chance, layout, names, lambda name: _cell(chance, name, layout))


class Layout(NamedTuple):
    """How a file separates cells and records, and writes numbers."""

    delimiter: str
    decimal: str
    line_end: str


def file_of(
    chance: random.Random, layout: Layout, names: list[str], cell: Callable[[str], str]
) -> Case:
    """Return a file with columns of these names, damaged or not.

    Parameters
    ----------
    chance
        Source of what is left to chance.
    layout
        How it is written.
    names
        Its header.
    cell
        Makes a cell of the column of a name.
    """
    delimiter, decimal, line_end = layout
    quote_all = chance.random() < 0.2
    header = _record(names, delimiter, quote_all)
    rows = [
        _record([cell(name) for name in names], delimiter, quote_all)
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4, 6)))
    ]
    if rows and chance.random() < 0.1:
        rows = [_with_other_digits(chance, rows[0]) for _ in range(chance.choice((2, 3, 30)))]
    body = "".join(row + line_end for row in rows).encode()
    if chance.random() < 0.3:
        body = body.removesuffix(line_end.encode())
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        body = _damaged(chance, body)
    start = "\ufeff" * (chance.random() < 0.2) + line_end * (chance.random() < 0.1)
    content = f"{start}{header}{line_end}".encode() + body
    sound = True
    if chance.random() < 0.03:
        content, sound = _damaged(chance, content), False
    cuts = chance.choice((1, 1, 4)) if chance.random() < 0.2 else 0
    case = Case(
        content,
        delimiter,
        decimal,
        sound,
        # Mostly as files are read; now and then in pieces that fall anywhere.
        block_size=chance.choice((1, 7, 64)) if chance.random() < 0.05 else 1 << 18,
        at_once=chance.choice((1, 13, 100)) if chance.random() < 0.05 else 1 << 18,
        cuts=tuple(sorted(chance.randrange(len(content) + 9) for _ in range(cuts))),
        step=chance.choice((16, 50, 120)) if chance.random() < WHOLE else 0,
    )
    if chance.random() < _ONE_BYTE:
        return _in_one_byte(case, chance.choice(_ENCODINGS))
    return case


def _in_one_byte(case: Case, encoding: str) -> Case:
    """Return the case in an encoding of one byte a character, its damage included."""
    text = case.content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    content = b"".join(
        bytes([ord(c) - 0xDC00]) if "\udc80" <= c <= "\udcff" else c.encode(encoding, "replace")
        for c in text
    )
    return replace(case, content=content, encoding=encoding)


def _cell(chance: random.Random, name: str, layout: Layout) -> str:
    if name in ("size", "age"):
        cell = chance.choice(_NO_SIZES if chance.random() < 0.1 else _SIZES)
        if chance.random() < 0.3:
            cell = f"{chance.uniform(-20, 20):.{chance.randrange(18)}f}"
        return cell.replace(".", layout.decimal)
    cell = chance.choice(_COLOURS if name == "colour" else _IDS)
    return cell.replace("\n", layout.line_end) if chance.random() < 0.8 else cell


def _record(cells: list[str], delimiter: str, quote_all: bool) -> str:
    return delimiter.join(
        '"' + cell.replace('"', '""') + '"'
        if quote_all or any(c in cell for c in (delimiter, '"', "\n", "\r"))
        else cell
        for cell in cells
    )


def _with_other_digits(chance: random.Random, row: str) -> str:
    """Return a row laid out like another, as one of a table of measurements is."""
    return "".join(chance.choice("0123456789") if c in "0123456789" else c for c in row)


def _damaged(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    other = chance.randrange(len(body) + 1)
    piece = chance.choice(_PIECES)
    first, last = sorted((at, other))
    return chance.choice(
        (
            body[:at] + piece + body[at:],
            body[:at] + piece + body[at + 1 :],
            body[:at] + body[at + 1 :],
            body[:at],
            body[:last] + body[first:],
            body[:first] + body[last:],
            body.replace(b"\n", b"\r", 1),
            body[:at] + piece * chance.randrange(1, 40) + body[at:],
        )
    )
