"""Expand files, folders and patterns to the inputs of a scoring run, and name their outputs."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ffn.errors import SettingsError, quote
from ffn.extraction.table_files import split_pattern
from ffn.object_stores.object_address import ObjectAddress, as_path
from ffn.scoring.output.targets import COMPANIONS, SHADOW_COMPANIONS, Targets
from ffn.settings.pipeline import Pipeline
from ffn.storage.compression import without_compression_suffix
from ffn.storage.real_path import real_path
from ffn.storage.source import STDIN

__all__ = [
    "FileToScore",
    "expand_inputs",
    "files_to_score",
    "folder_to_score",
    "is_table_name",
    "output_name",
    "output_of",
    "pair",
    "tables",
]

# Suffixes of tables in a folder; a file given by name may have any other.
_TABLES = (".csv", ".tsv", ".tab", ".parquet")


class FileToScore(NamedTuple):
    """An input and its output, and what the input is called.

    Attributes
    ----------
    source
        Path of the input, or address of an object.
    output
        Path of the output, or its address.
    name
        What messages, run log and manifest call the input; empty, the default, for its path.
    """

    source: Path
    output: Path
    name: str = ""

    @property
    def shown(self) -> Path:
        """What lists of files show for the input: no folder that is gone after the run."""
        return Path(self.source.name) if self.name else self.source


def files_to_score(
    pipeline: Pipeline, given: Sequence[Path], output: str | os.PathLike[str] | None = None
) -> list[FileToScore]:
    """Return the inputs of a scoring run with their outputs, as absolute paths.

    Parameters
    ----------
    pipeline
        The pipeline, whose inbox and output folder are the defaults.
    given
        Files, folders and patterns, as for `expand_inputs`; none for all tables of the inbox.
    output
        A file, for a single input; or a folder: an existing one, or a path or address that ends in
        a slash. None, the default, for the pipeline's folder of predictions.

    Raises
    ------
    SettingsError
        There is nothing to score, or several inputs would have the same output.
    DataError
        A store that has inputs refuses.
    """
    inbox = pipeline.folder / "inbox"
    files = expand_inputs(given or (tables(inbox) if inbox.is_dir() else []))
    if not files:
        raise SettingsError(f"no file is given, and no table is in {inbox}.")
    pairs = pair(
        files,
        None if output is None else as_path(output),
        pipeline.predictions,
        folder=output is not None and os.fspath(output).endswith("/"),
    )
    # Resolved, because ".." after a folder that does not exist yet could lead to the input.
    return [
        FileToScore(
            file if file == STDIN else _in_full(file), _in_full(target.parent) / target.name
        )
        for file, target in pairs
    ]


def _in_full(path: Path) -> Path:
    return path if isinstance(path, ObjectAddress) else real_path(path)


def folder_to_score(
    pipeline: Pipeline, given: Sequence[Path], output: str | os.PathLike[str] | None = None
) -> list[FileToScore]:
    """Return the input of a partitioned output and that output, as absolute paths, as a list.

    Parameters
    ----------
    pipeline
        The pipeline, whose output folder is the default.
    given
        A folder, a pattern or a file.
    output
        Folder of the output; None, the default, for one in the pipeline's folder of predictions.

    Raises
    ------
    SettingsError
        Not one input is given, or the input or the output is in an object store.
    """
    if len(given) != 1:
        raise SettingsError(
            f"a partitioned output is of one folder, pattern or file; {len(given):,} were given."
        )
    (source,) = given
    places = (source, None if output is None else as_path(output))
    if far := next((place for place in places if isinstance(place, ObjectAddress)), None):
        raise SettingsError(
            f"{far} is in an object store, and parts are scored on this machine's disk. Give a "
            "folder here, or score without a partitioned output."
        )
    if source != STDIN:
        parts: tuple[str, ...] = ()
        base = source
        if glob.has_magic(str(source)) and not os.path.lexists(source):
            base, parts = split_pattern(source)
        source = real_path(base).joinpath(*parts)
    named = next((part for part in reversed(source.parts) if not glob.has_magic(part)), "tables")
    target = pipeline.predictions / named if output is None else Path(output)
    return [FileToScore(source, real_path(target))]


def expand_inputs(given: Iterable[Path]) -> list[Path]:
    """Return the files in ``given`` (names, folders, patterns), each once and in order.

    Of a folder, all tables are taken (``.csv``, ``.tsv``, ``.tab``, ``.parquet``, compressed or
    not), except hidden ones and the files that scoring writes beside an output; subfolders are not
    searched. A pattern contains ``*``, ``?``, ``[…]``, or ``**`` for folders at any depth; if a
    file has exactly that name, it is taken instead. Of objects in a store only tables are taken.

    Raises
    ------
    SettingsError
        A folder has no table, or a pattern matches nothing.
    DataError
        A store refuses.
    """
    found: dict[str, Path] = {}
    for path in given:
        for file in _files(path):
            real = str(file) if isinstance(file, ObjectAddress) else os.path.realpath(file)
            found.setdefault(real, file)
    return list(found.values())


def tables(folder: Path) -> list[Path]:
    """Return the tables directly in ``folder``, sorted by name."""
    return sorted(path for path in folder.iterdir() if _is_table(path))


def pair(
    files: Sequence[Path], output: Path | None, predictions: Path, *, folder: bool = False
) -> list[tuple[Path, Path]]:
    """Return every input with its output.

    Parameters
    ----------
    files
        The inputs.
    output
        A file, for a single input; or a folder. None for ``predictions``.
    predictions
        The folder to write to if ``output`` is None.
    folder
        Whether ``output`` was given with a slash at its end, so that it is a folder even if
        none exists.

    Raises
    ------
    SettingsError
        Several inputs would have the same output, or one would be written over a file beside
        another's output.
    """
    into = predictions if output is None else output if folder or output.is_dir() else None
    if into is None and len(files) > 1:
        raise SettingsError(
            f"the output {output} is for a single file; {len(files):,} were given. For a folder, "
            f"end it with a slash: {output}/"
        )
    if output is not None and into is None:
        return [(files[0], output)]
    pairs = [(file, (into or predictions) / output_of(file)) for file in files]
    written: dict[Path, Path] = {}
    for file, target in pairs:
        beside = [target.with_name(target.name + suffix) for suffix in SHADOW_COMPANIONS]
        for path in (*Targets.beside(target), *beside):
            if path in written:
                raise SettingsError(
                    f"{written[path]} and {file} would both be written to {path}. "
                    "Score them one by one, each with an output of its own."
                )
            written[path] = file
    return pairs


def is_table_name(name: str) -> bool:
    """Return whether a file called ``name`` is a table by its suffix; hidden files are not."""
    return without_compression_suffix(name).lower().endswith(_TABLES) and not name.startswith(".")


def output_name(name: str) -> str:
    """Return the name of the output for an input called ``name``: outputs are never compressed."""
    return without_compression_suffix(name)


def output_of(file: Path) -> str:
    """Return the default name of the output for the input ``file``; ``stdin.csv`` for stdin."""
    return "stdin.csv" if file == STDIN else output_name(file.name)


def _files(path: Path) -> list[Path]:
    if isinstance(path, ObjectAddress):
        # Imported here, because files need nothing of it.
        from ffn.object_stores.object_patterns import is_pattern

        return _objects(path) if is_pattern(path) else [path]
    if path.is_dir():
        found = tables(path)
        if not found:
            raise SettingsError(f"{path} holds no table ({', '.join(_TABLES)}).")
        return found
    text = str(path)
    if not glob.has_magic(text) or os.path.lexists(path):
        return [path]
    # Path.glob accepts no absolute pattern.
    found = [Path(name) for name in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207
    found = [file for file in found if not file.is_dir() and not _is_companion(file)]
    if not found:
        raise SettingsError(f"no file matches {quote(text, 200)}.")
    return found


def _objects(pattern: ObjectAddress) -> list[Path]:
    from ffn.object_stores.object_patterns import matching_objects

    there = [pattern.beside(state.key) for state in matching_objects(pattern)]
    names = {str(address) for address in there}
    found: list[Path] = [
        address
        for address in there
        if is_table_name(address.name) and not _is_companion(address, names.__contains__)
    ]
    if not found:
        raise SettingsError(f"no table ({', '.join(_TABLES)}) matches {quote(pattern, 200)}.")
    return found


def _is_table(path: Path) -> bool:
    return is_table_name(path.name) and not _is_companion(path) and not path.is_dir()


def _is_companion(path: Path, exists: Callable[[str], bool] = os.path.exists) -> bool:
    """Return whether a file is one of those that are written beside an existing output."""
    for suffix in (*COMPANIONS, *SHADOW_COMPANIONS):
        if path.name.endswith(suffix):
            return exists(str(path.with_name(path.name.removesuffix(suffix))))
    return False
