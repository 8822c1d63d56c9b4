"""Which parts of a published output still hold, so that their inputs need not be scored again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ffn.scoring.output.targets import Targets
from ffn.scoring.partitioned.dataset_manifest import PublishedParts
from ffn.scoring.partitioned.part_account import stamp_of
from ffn.scoring.partitioned.part_plan import InputPart, PartPlan
from ffn.scoring.partitioned.staged_parts import range_digest
from ffn.storage.atomic import write_bytes
from ffn.storage.descriptors import open_below
from ffn.storage.plain_files import read_plain
from ffn.storage.source import Source

__all__ = ["StampBook", "holds_digest", "kept_parts"]

_SUFFIX = ".ffn-stamps"
_MOST_BYTES = 1024 * 1024 * 1024
# A file may be written twice within one tick of its file system's clock, and look unchanged.
_NANOSECONDS_OF_A_TICK = 2_000_000_000


class StampBook:
    """Sizes and times of inputs and outputs, by which unchanged ones are known without reading.

    It belongs to one manifest, by its digest. Without it everything is read.

    Parameters
    ----------
    targets
        Paths of the output, the rejects and the manifest; the book is a hidden file beside them.
    """

    def __init__(self, targets: Targets) -> None:
        self._path = targets.output.with_name(f".{targets.output.name}{_SUFFIX}")
        self._output, self._manifest = targets.output, targets.manifest
        self._stamps: dict[str, Sequence[Any]] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(read_plain(self._path, _MOST_BYTES))
            if found["manifest"] == _digest_of(targets.manifest):
                self._stamps = dict(found["parts"])

    def knows_input(self, name: str, status: os.stat_result) -> bool:
        """Return whether the input of the part ``name`` had this ``status`` when it was read."""
        known = self._stamps.get(name)
        return known is not None and known[0] == stamp_of(status)

    def knows_output(self, name: str, status: os.stat_result) -> bool:
        """Return whether the output ``name`` had this ``status`` when it was published."""
        known = self._stamps.get(name)
        return known is not None and known[1] == stamp_of(status)

    def write(self, inputs: Mapping[str, Sequence[int]], began: float) -> None:
        """Write the book of what has been published; never raises, as it only saves time.

        Parameters
        ----------
        inputs
            Stamps of the inputs by the names of their parts.
        began
            When the run began to look at the inputs, in seconds since 1970.
        """
        safe = began * 1e9 - _NANOSECONDS_OF_A_TICK
        stamps = {}
        with contextlib.suppress(OSError):
            for name, of_input in inputs.items():
                trusted = list(of_input) if max(of_input[1], of_input[2]) < safe else None
                of_output = (self._output / name).lstat()
                stamps[name] = (trusted, stamp_of(of_output))
            found = {"manifest": _digest_of(self._manifest), "parts": stamps}
            write_bytes(self._path, json.dumps(found).encode())


def kept_parts(
    plan: PartPlan, published: PublishedParts, book: StampBook, output: Path
) -> dict[str, list[int]]:
    """Return the parts whose input and output are as the manifest says, with their inputs' stamps.

    Parameters
    ----------
    plan
        The parts to be.
    published
        The manifest, of the same model and options.
    book
        What was known when it was published.
    output
        Folder of the output.

    Raises
    ------
    DataError
        An input cannot be read.
    """
    if plan.of_one_file:
        return _all_or_none(plan.parts, published, book, output)
    found = {}
    for part in plan.parts:
        entry = published.entries.get(part.name)
        if entry is None or entry["input"]["path"] != part.below or "scored_by" in entry:
            continue
        status = part.status()
        if entry["input"]["bytes"] != status.st_size:
            continue
        if not _output_holds(entry, book, output):
            continue
        if not book.knows_input(part.name, status):
            with part.opened() as source:
                if source.read_through() != entry["input"]["sha256"]:
                    continue
                status = source.status
        found[part.name] = stamp_of(status)
    return found


def _all_or_none(
    parts: Sequence[InputPart], published: PublishedParts, book: StampBook, output: Path
) -> dict[str, list[int]]:
    """Return all ranges of a file, or none: a change may move the records of every later range."""
    entries = [published.entries[name] for name in sorted(published.entries)]
    path = parts[0].below
    if any(e["input"]["path"] != path or "scored_by" in e for e in entries):
        return {}
    with parts[0].opened() as source:
        status = source.status
        if sum(entry["input"]["bytes"] for entry in entries) != source.size:
            return {}
        if not all(_output_holds(entry, book, output) for entry in entries):
            return {}
        if not all(book.knows_input(entry["name"], status) for entry in entries):
            if not _ranges_hold(source, entries):
                return {}
            source.check_untouched()
    return {entry["name"]: stamp_of(status) for entry in entries}


def _ranges_hold(source: Source, entries: Iterable[Mapping[str, Any]]) -> bool:
    offset = 0
    for entry in entries:
        end = offset + entry["input"]["bytes"]
        if range_digest(source, offset, end) != entry["input"]["sha256"]:
            return False
        offset = end
    return True


def _output_holds(entry: Mapping[str, Any], book: StampBook, output: Path) -> bool:
    name = entry["name"]
    try:
        status = (output / name).lstat()
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != entry["output"]["bytes"]:
        return False
    return book.knows_output(name, status) or holds_digest(output, name, entry["output"]["sha256"])


def holds_digest(folder: Path, name: str, sha256: str) -> bool:
    """Return whether a file below a folder has a digest.

    Parameters
    ----------
    folder
        The folder.
    name
        Path of the file below it, with slashes.
    sha256
        The digest, in hexadecimal.
    """
    try:
        with os.fdopen(open_below(folder, name), "rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == sha256)
    except OSError:
        return False


def _digest_of(manifest: Path) -> str:
    return hashlib.sha256(read_plain(manifest, _MOST_BYTES)).hexdigest()
