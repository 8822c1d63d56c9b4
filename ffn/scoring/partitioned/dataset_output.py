"""Publish the parts of an output together: the manifest appears when all of them are in place.

Before the first part is moved, everything that remains to be done is written down in the work
folder. A run that ends in between is completed by the next one, without its input.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import json
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError, OutputError, quote
from ffn.scoring.output.targets import Targets
from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.partitioned.kept_parts import holds_digest
from ffn.storage.atomic import remove, sync_folder
from ffn.storage.descriptors import open_folder_below

__all__ = ["PartsInWaiting", "check_folder", "finish_left", "publish_parts", "writing_parts"]

_PENDING, _REJECTS, _MANIFEST = "pending", "rejects", "manifest"


class PartsInWaiting(NamedTuple):
    """What is to be put in place.

    Attributes
    ----------
    moves
        Key in the work folder, name and digest of each part to move to the output.
    removals
        Names of parts to remove from it.
    manifest
        Content of the manifest.
    """

    moves: list[tuple[str, str, str]]
    removals: list[str]
    manifest: bytes


def publish_parts(folder: WorkFolder, targets: Targets, publication: PartsInWaiting) -> None:
    """Move parts, rejects and manifest to their places.

    Parameters
    ----------
    folder
        The work folder, with the parts (on the disk already) and the file ``rejects``.
    targets
        Paths of the output, the rejects and the manifest.
    publication
        What to do.

    Raises
    ------
    OSError
        Something cannot be written. The next run goes on.
    """
    folder.sync(_REJECTS)
    content = json.dumps(
        {
            "moves": publication.moves,
            "removals": publication.removals,
            "manifest": publication.manifest.decode(),
        }
    ).encode()
    with folder.update(_PENDING) as file:
        file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        file.truncate()
    folder.sync(_PENDING)
    _carry_out(folder, targets, publication)


def finish_left(folder: WorkFolder, targets: Targets) -> bool:
    """Complete what an interrupted run has begun to publish; return whether there was anything.

    Parameters
    ----------
    folder
        The work folder.
    targets
        Paths of the output, the rejects and the manifest.

    Raises
    ------
    OSError
        Something cannot be written. The next run goes on.
    """
    found = _read_pending(folder)
    if found is None:
        return False
    whole = all(
        folder.holds(f"{key}.output") or holds_digest(targets.output, name, sha256)
        for key, name, sha256 in found.moves
    )
    if whole:
        _carry_out(folder, targets, found)
    else:
        # Somebody else has changed the output. Without a manifest, all of it is looked at.
        remove(targets.manifest)
        folder.unlink(_PENDING)
    return whole


def _read_pending(folder: WorkFolder) -> PartsInWaiting | None:
    try:
        with folder.read(_PENDING) as file:
            digest, _, content = file.read().partition(b"\n")
        if digest != hashlib.sha256(content).hexdigest().encode():
            return None
        found = json.loads(content)
        moves = [(key, name, sha256) for key, name, sha256 in found["moves"]]
        return PartsInWaiting(moves, found["removals"], found["manifest"].encode())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _carry_out(folder: WorkFolder, targets: Targets, publication: PartsInWaiting) -> None:
    remove(targets.manifest)
    targets.output.mkdir(exist_ok=True)
    for name in publication.removals:
        with contextlib.suppress(FileNotFoundError), _inside(targets.output, name) as (at, file):
            os.unlink(file, dir_fd=at)
    touched = set()
    for key, name, _ in publication.moves:
        if folder.holds(f"{key}.output"):
            with _inside(targets.output, name, make=True) as (at, file):
                folder.rename(f"{key}.output", Path(file), within=at)
        touched.add(name.rpartition("/")[0])
    for above in _with_parents(touched):
        handle = open_folder_below(targets.output, above)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    if folder.holds(_REJECTS):
        folder.rename(_REJECTS, targets.rejects)
    with folder.update(_MANIFEST) as file:
        file.write(publication.manifest)
        file.truncate()
    folder.sync(_MANIFEST)
    sync_folder(targets.output.parent)
    folder.rename(_MANIFEST, targets.manifest)
    sync_folder(targets.output.parent)
    folder.unlink(_PENDING)


@contextlib.contextmanager
def _inside(output: Path, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder of the part ``name``; yield its descriptor, and the name of the file."""
    above, _, file = name.rpartition("/")
    at = open_folder_below(output, above, make=make)
    try:
        yield at, file
    finally:
        os.close(at)


def _with_parents(folders: Collection[str]) -> Sequence[str]:
    """Return folders and all that are above them, the lowest first."""
    found = {""}
    for folder in folders:
        parts = folder.split("/")
        found |= {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return sorted(found, key=lambda folder: -folder.count("/"))


def check_folder(targets: Targets, source: Path, ours: Collection[str]) -> None:
    """Check that the folder of an output may be written to, and holds nothing of others.

    Parameters
    ----------
    targets
        Paths of the output, which need not exist, of the rejects and the manifest.
    source
        The input: a file, a folder or a pattern.
    ours
        Names of the files that belong to the output.

    Raises
    ------
    DataError
        It is a file or a link, one of input and output is inside the other, or there is another
        file in it.
    """
    output = targets.output
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise DataError(f"{output} is a link or a file. Give a folder for the parts of the output.")
    if source.is_dir():
        nested = output.is_relative_to(source) or source.is_relative_to(output)
    elif "**" in source.parts:
        around = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), source.parts))
        nested = output.is_relative_to(around)
    else:
        # The next run of a pattern would read what this one wrote.
        written = (targets.rejects, *(output / name for name in ours))
        nested = any(path.match(str(source)) for path in written)
    if nested:
        raise DataError(
            f"the output {output} and the input {source} are one inside the other. Give another "
            "output."
        )
    if not output.is_dir():
        return
    for name in _files_below(output, ""):
        if name not in ours:
            raise DataError(
                f"{output / name} does not belong to this output, and would be read with it. Give "
                "an empty folder, or remove it."
            )


def _files_below(folder: Path, below: str) -> Iterator[str]:
    with os.scandir(folder / below) as entries:
        for entry in entries:
            # What engines pass over, too.
            if entry.name.startswith((".", "_")):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(folder, f"{below}{entry.name}/")
            else:
                yield f"{below}{entry.name}"


@contextlib.contextmanager
def writing_parts(targets: Targets) -> Iterator[None]:
    """Say of which output it is that the disk fails while the block runs.

    Parameters
    ----------
    targets
        Paths of the output, the rejects and the manifest.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    try:
        yield
    except OSError as error:
        where = f" ({quote(error.filename, 200)})" if error.filename else ""
        raise OutputError(
            f"{targets.output} cannot be written{where}: {error.strerror or error}. Make room or "
            "give another output, and use no output without a manifest beside it."
        ) from None
