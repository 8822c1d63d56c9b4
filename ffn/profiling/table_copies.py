"""Copy the files of a training table into the folder of a new pipeline."""

from __future__ import annotations

from pathlib import Path

from ffn.errors import DataError
from ffn.extraction.extracted_table import ExtractedTable
from ffn.extraction.table_files import split_pattern
from ffn.storage.atomic import atomic_file
from ffn.storage.source import open_source

__all__ = ["changed_while_read", "copies_of", "copy_unchanged"]

# What a table is called in the new folder: a file, with the suffix of its format, or a folder.
_TRAINING = "train"
_COPIED_AT_ONCE = 1024 * 1024


def copies_of(
    given: Path | str, table: ExtractedTable, sha256: str
) -> tuple[list[tuple[Path, str, str]], str]:
    """Return what to copy, and how settings beside the copies name the table.

    Parameters
    ----------
    given
        What the user named: a file, a folder or a pattern.
    table
        The table that was made of it.
    sha256
        Digest of its CSV file, which is what is copied of a single CSV file.

    Returns
    -------
    copies
        The path of each file, its path in the new folder, and the digest it must have.
    name
        The table in the new settings.
    """
    source = Path(given)
    if table.entry is None:
        name = f"{_TRAINING}.csv"
        return [(source, name, sha256)], name
    if source.is_file():
        name = f"{_TRAINING}.parquet"
        return [(source, name, table.parts[0].sha256)], name
    copies = [
        (file, f"{_TRAINING}/{part.name}", part.sha256)
        for file, part in zip(table.files, table.parts, strict=True)
    ]
    below = () if source.is_dir() else split_pattern(source)[1]
    return copies, "/".join((_TRAINING, *below))


def copy_unchanged(source: Path, target: Path, sha256: str) -> None:
    """Copy a file, and make sure that the copy is what the settings were made for.

    Parameters
    ----------
    source, target
        The file, and the file to write.
    sha256
        Digest that it must have.

    Raises
    ------
    DataError
        It has another one, or cannot be read.
    """
    with open_source(source) as stream, atomic_file(target) as copy:
        while chunk := stream.read(_COPIED_AT_ONCE):
            copy.write(chunk)
        if stream.sha256 != sha256:
            raise changed_while_read(source)


def changed_while_read(source: object) -> DataError:
    """Return the error for a table, ``source``, that is not what it was a moment ago."""
    return DataError(
        f"{source} changed while it was read. Try again when nothing is writing to it."
    )
