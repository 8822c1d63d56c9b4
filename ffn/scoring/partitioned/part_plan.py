"""What a partitioned output consists of: a part for each input file, or for a range of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError, SettingsError, quote
from ffn.extraction.table_files import TableFile, table_files
from ffn.scoring.columnar.detect import is_parquet
from ffn.scoring.rows.options import Options
from ffn.storage.compression import without_compression_suffix
from ffn.storage.descriptors import open_below
from ffn.storage.source import STDIN, Source, open_source
from ffn.tabular.csv.reader import Records

__all__ = ["FORMATS", "InputPart", "PartPlan", "Stretch", "plan_parts"]

FORMATS = ("same", "csv", "parquet")
"""Formats of the parts: each that of its input file, or one for all."""

_SUFFIXES = (".csv", ".tsv", ".tab", ".parquet")
_KEY_DIGITS = 24


class Stretch(NamedTuple):
    """A byte range of a file that is cut into parts.

    Attributes
    ----------
    begin, until
        Its first byte, and the first one behind it. A part consists of the records that begin in
        its range; the first range begins behind the header.
    first
        Whether it is the first range of the file, so that its first record begins at ``begin``.
    """

    begin: int
    until: int
    first: bool


@dataclass(frozen=True)
class InputPart:
    """One part of a partitioned output, and what it is made of.

    Attributes
    ----------
    name
        Path of the output below its folder, with slashes.
    folder
        Folder that was named; None if the file itself was.
    below
        Path of the input below ``folder``, with slashes; its full path if there is none.
    given
        Names and cells of the columns that the folders of the file give.
    stretch
        Range of the file; None for all of it.
    """

    name: str
    folder: Path | None
    below: str
    given: tuple[tuple[str, str], ...] = ()
    stretch: Stretch | None = None

    @property
    def path(self) -> Path:
        """Path of the input."""
        return Path(self.below) if self.folder is None else self.folder / self.below

    @property
    def key(self) -> str:
        """Name of the part in a work folder."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:_KEY_DIGITS]

    @property
    def size(self) -> int:
        """Number of bytes to read."""
        return self.stretch.until - self.stretch.begin if self.stretch else self.status().st_size

    def status(self) -> os.stat_result:
        """Return the state of the input. Raises ``DataError`` if there is none."""
        try:
            return self.path.stat(follow_symlinks=self.folder is None)
        except OSError as error:
            raise _unreadable(self.path, error) from None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Source]:
        """Open the input while the block runs; no link below the folder is followed.

        Raises
        ------
        DataError
            It cannot be read, or is no plain file any more.
        """
        if self.folder is None:
            with open_source(self.path) as source:
                yield source
            return
        try:
            stream = os.fdopen(open_below(self.folder, self.below), "rb")
        except OSError as error:
            raise _unreadable(self.path, error) from None
        with stream:
            yield Source(stream, str(self.path))


class PartPlan(NamedTuple):
    """All parts of an output, in the order of their names.

    Attributes
    ----------
    parts
        The parts.
    empty
        Input files without a byte, which are passed over: some programs write one for each of
        their tasks without rows.
    """

    parts: list[InputPart]
    empty: list[str]

    @property
    def of_one_file(self) -> bool:
        """Whether the parts are ranges of one file."""
        return any(part.stretch for part in self.parts)


def plan_parts(
    source: Path, form: str, options: Options, *, part_bytes: int = 64 * 1024 * 1024
) -> PartPlan:
    """Divide an input into parts.

    Parameters
    ----------
    source
        A folder or a pattern, of which each table is a part, with the columns that folders named
        ``column=value`` give; or a file, which is cut if it is an uncompressed CSV file in UTF-8.
    form
        One of `FORMATS`.
    options
        Options of scoring.
    part_bytes
        Length of the ranges of one file; by default 64 MiB, beside which the start of a part costs
        nothing. The ranges do not depend on the number of processes.

    Raises
    ------
    DataError
        There is no table; a file is a link, or its name cannot be used; or two parts would have
        one name.
    SettingsError
        There is no such format, or the input is a pipe.
    """
    if form not in FORMATS:
        raise SettingsError(
            f"partitioned is {quote(form)}; give one of {', '.join(map(quote, FORMATS))}."
        )
    if source == STDIN:
        raise SettingsError("standard input cannot be scored in parts. Give a file or a folder.")
    files = table_files(source)
    if files[0].given:
        return PartPlan(_parts_of_file(files[0].path, form, options, part_bytes), [])
    found: dict[str, InputPart] = {}
    empty = []
    for file in files:
        part = _part_of(file, form)
        if part.status().st_size == 0 and not file.name.lower().endswith(".parquet"):
            empty.append(file.name)
            continue
        if other := found.get(part.name):
            raise DataError(
                f"{file.path} and {other.path} would both be written to {quote(part.name)}. "
                "Rename one."
            )
        found[part.name] = part
    return PartPlan(sorted(found.values(), key=lambda part: part.name), empty)


def _part_of(file: TableFile, form: str) -> InputPart:
    folder = Path(str(file.path).removesuffix(file.name))
    return InputPart(_named(file.name, form), folder, file.name, file.partition)


def _parts_of_file(path: Path, form: str, options: Options, part_bytes: int) -> list[InputPart]:
    below = str(path)
    with open_source(path) as stream:
        if stream.size is None:
            raise SettingsError(f"{path} is a pipe, which cannot be scored in parts. Give a file.")
        if is_parquet(stream):
            return [InputPart(f"part-00000{_named('.parquet', form)}", None, below)]
        records = Records(
            stream, below, delimiter=options.delimiter, given_encoding=options.encoding
        )
        begin, size = records.mark.offset, stream.size
        suffix = _named(".csv", form)
        if records.compression is not None or records.encoding != "utf-8":
            return [InputPart(f"part-00000{suffix}", None, below)]
    cuts = [begin, *range(begin + part_bytes, size, part_bytes), size]
    return [
        InputPart(
            f"part-{number:05d}{suffix}", None, below, (), Stretch(cut, until, first=number == 0)
        )
        for number, (cut, until) in enumerate(pairwise(cuts))
    ]


def _named(name: str, form: str) -> str:
    """Return the name of the output for an input called ``name``: outputs are not compressed."""
    name = without_compression_suffix(name)
    if form == "same":
        return name
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return f"{name}.{form}"


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}.")
