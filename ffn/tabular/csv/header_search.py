"""Find a header that is not on the first line, and suggest a command that repairs the file.

Exports put titles, dates and comments before the header; some tools comment it out, others omit
it. The first lines show which of these it is, given the names of the wanted columns.
"""

from __future__ import annotations

import contextlib
import csv
import re
import shlex
from collections.abc import Collection, Iterator
from itertools import islice

from ffn.errors import quote
from ffn.storage.compression import compression_of
from ffn.tabular.cells import is_number, trim
from ffn.tabular.csv.header import DELIMITERS, Header, Opening

__all__ = ["header_hint", "uneven_hint"]

_LINES_SEARCHED = 200
_ROWS_COMPARED = 20
# Comment marks that tools write before a header.
_COMMENT = re.compile(r"[#%;!*/\s]+")
_LINE_END = re.compile(r"\r\n|\n|\r")
_YEAR = re.compile(r"[12][0-9]{3}")
_MENDED = "mended.csv"


def header_hint(header: Header, path: str, delimiter: str, wanted: Collection[str]) -> str:
    """Return advice about a header that lacks a wanted column.

    Parameters
    ----------
    header
        The first record.
    path
        Path of the file, for commands.
    delimiter
        Delimiter of the file.
    wanted
        Names of the wanted columns; a line that contains all of them is the header.

    Returns
    -------
    hint
        A sentence or two after a space; empty if the first record seems to be the header.
    """
    if header.opening is None or not wanted:
        return ""
    names = {_uncommented(header.names[0]), *header.names[1:]}
    if set(wanted) <= names:
        mend = _command(header.opening, path, f"sed '{header.line}s/^[#%;! ]*//'")
        return f" The header has a comment mark before it. Take it out: {mend}"
    return _stands_below(header.opening, path, delimiter, wanted) or _no_header(
        header, path, delimiter
    )


def uneven_hint(header: Header, path: str, delimiter: str) -> str:
    """Return advice if the first rows all have the same number of cells, but not the header's.

    Parameters
    ----------
    header, path, delimiter
        As for `header_hint`, whose result has the same form.
    """
    if header.opening is None:
        return ""
    rows = [row for _, row in islice(_rows(header.opening, delimiter), _ROWS_COMPARED)]
    expected, mark = len(header.names), "\\t" if delimiter == "\t" else delimiter
    if len({len(row) for row in rows}) != 1 or (width := len(rows[0])) == expected:
        return ""
    opening, cells = header.opening, f"{width:,} {'cell' if width == 1 else 'cells'}"
    if width < expected:
        if any(header.names[width:]):
            return f" Every row has {cells}: the header has too many names, or the rows too few."
        mend = _command(opening, path, f"sed -E '{header.line}s/[{mark}]+(\\r?)$/\\1/'")
        return f" The header ends in delimiters that the rows lack. Take them out: {mend}"
    more = width - expected
    if not any(cell for row in rows for cell in row[expected:]):
        mend = _command(opening, path, f"sed -E 's/[{mark}]{{{more}}}(\\r?)$/\\1/'")
        return f" Every row ends in delimiters that the header lacks. Take them out: {mend}"
    named = f" The header lacks {more:,} {'name' if more == 1 else 'names'}: every row has {cells}."
    if more > 1:
        return f"{named} Name every column."
    # R writes row names without a name for their column.
    mend = _command(opening, path, f"sed '{header.line}s/^/id{mark}/'")
    return (
        f"{named} If the first column is without a name, as R's write.table leaves it, give it "
        f"one: {mend}"
    )


def _stands_below(opening: Opening, path: str, delimiter: str, wanted: Collection[str]) -> str:
    """Return the hint for a header below the first line, with any delimiter."""
    for mark in (delimiter, *(mark for mark in DELIMITERS if mark != delimiter)):
        for line, row in islice(_rows(opening, mark), _LINES_SEARCHED):
            commented = not set(wanted) <= set(row)
            if commented and not (row and set(wanted) <= {_uncommented(row[0]), *row[1:]}):
                continue
            other = "" if mark == delimiter else f", and give {_named(mark)} as the delimiter"
            names = "column names are" if len(wanted) > 1 else "column name is"
            uncomment = " | sed '1s/^[#%;! ]*//'" if commented else ""
            return (
                f" The {names} on line {line:,}. Remove the lines before it{other}: "
                f"{_command(opening, path, f'tail -n +{line}', uncomment)}"
            )
    return ""


def _no_header(header: Header, path: str, delimiter: str) -> str:
    """Return the hint for a file without a header, whose first record is data like the second."""
    opening = header.opening
    if opening is None:
        return ""
    _, below = next(_rows(opening, delimiter), (0, []))
    numbers = [name for name in header.names if is_number(name)]
    if not numbers or list(map(is_number, header.names)) != list(map(is_number, below)):
        return ""
    if all(map(_YEAR.fullmatch, numbers)) or numbers == [str(i) for i in range(len(numbers))]:
        # Years are plausible column names, and pandas numbers columns from 0.
        return ""
    line = ("\\t" if delimiter == "\t" else delimiter).join(
        f"NAME{i}" for i in range(1, len(header.names) + 1)
    )
    mend = _command(opening, path, f"sed '{header.line}i {line}'")
    return (
        f" Line {header.line} holds data ({quote(numbers[0])} is a number): the file has no "
        f"header. Add one, with the {len(header.names):,} names in place of these: "
        f"{mend}"
    )


def _rows(opening: Opening, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and trimmed cells of every line that is not blank."""
    lines = _LINE_END.split(opening.text.decode("utf-8", "replace"))
    for number, line in enumerate(lines, start=opening.line):
        with contextlib.suppress(csv.Error):
            row = next(csv.reader([line], delimiter=delimiter), [])
            if row:
                yield number, [trim(cell) for cell in row]


def _command(opening: Opening, path: str, *steps: str) -> str:
    """Return a shell command that pipes a file, unpacked and as UTF-8, through ``steps``."""
    file, (first, *others) = shlex.quote(path), steps
    unpack = {"gzip": "gzip -dc", "zstd": "zstd -dc"}.get(compression_of(path) or "")
    into = f"{''.join(others)} > {_MENDED}"
    before = [f"{unpack} {file}"] if unpack else []
    if opening.encoding != "utf-8":
        convert = "iconv -f UTF-16 -t UTF-8"
        before.append(convert if before else f"{convert} {file}")
    return " | ".join([*before, first if before else f"{first} {file}"]) + into


def _uncommented(name: str) -> str:
    return _COMMENT.sub("", name, count=1) if _COMMENT.match(name) else name


def _named(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else quote(delimiter)
