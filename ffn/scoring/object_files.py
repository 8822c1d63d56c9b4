"""Score what is in an object store, or into one, with the code and the bytes of files.

An input is copied to a temporary folder first, and an output is made there: a store's objects
cannot be changed in place, and Parquet and long CSV files are read in any order. `TMPDIR` names the
disk that has room for both. Memory does not grow with either.
"""

from __future__ import annotations

import contextlib
import json
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ffn.errors import DataError, FFNError, one_line
from ffn.object_stores.buckets import Bucket, ObjectState, bucket_of
from ffn.object_stores.object_address import ObjectAddress, require_object
from ffn.object_stores.store_errors import TakenObjectError
from ffn.object_stores.write_claims import WriteClaim, claimed
from ffn.scoring.output.score_result import Progress, ScoreResult
from ffn.scoring.output.targets import Targets
from ffn.storage.atomic import staging_folder, sweep
from ffn.storage.source import Source, open_source

__all__ = ["fetch_scored", "score_objects"]

_MOST_MANIFEST_BYTES = 64 * 1024 * 1024
Score = Callable[[Source, Path, Callable[[Progress], None]], ScoreResult]


class _Pulse:
    """Reports progress, and repeats the last report while something is fetched or sent."""

    def __init__(self, on_progress: Callable[[Progress], None] | None) -> None:
        self._on_progress = on_progress
        self._last = Progress(rows=0, rejected=0, bytes_read=0, size=None)

    def report(self, progress: Progress) -> None:
        self._last = progress
        self.beat()

    def beat(self) -> None:
        if self._on_progress:
            self._on_progress(self._last)


def score_objects(
    source: Path,
    output: Path,
    score: Score,
    on_progress: Callable[[Progress], None] | None = None,
) -> ScoreResult:
    """Score with an input, an output or both in a store; the files are those of local scoring.

    The output, its rejects and its manifest are written as `score_csv` publishes them: an older
    manifest goes first, the new one comes last, and each object appears whole or not at all.

    Parameters
    ----------
    source
        Path or address of the input.
    output
        Path or address of the output; the names of the other two files are derived from it.
    score
        Scores an open input into a path on disk, and reports progress to what it is given.
    on_progress
        As for `score_csv`; also called before each part that is fetched or sent, so that it can end
        the run.

    Raises
    ------
    DataError
        As for `score_csv`; or there is no such object or bucket, the store refuses, the input was
        replaced while it was read, or another run writes this output.
    SettingsError
        The extra is not installed.
    """
    started, pulse = time.perf_counter(), _Pulse(on_progress)
    with _room() as room:
        if not isinstance(output, ObjectAddress):
            with _opened(source, room, pulse) as stream:
                result = score(stream, output, pulse.report)
        else:
            result = _score_into_store(source, require_object(output), score, room, pulse)
    return replace(result, seconds=time.perf_counter() - started)


@contextlib.contextmanager
def _room() -> Iterator[Path]:
    """Make a temporary folder that nobody else can look into; a killed run's is removed next."""
    parent = Path(tempfile.gettempdir())
    sweep(parent)
    with staging_folder(parent) as room:
        room.chmod(stat.S_IRWXU)
        yield room


@contextlib.contextmanager
def _opened(source: Path, room: Path, pulse: _Pulse) -> Iterator[Source]:
    """Open a file, or a copy of an object that is named like the object."""
    if not isinstance(source, ObjectAddress):
        with open_source(source) as stream:
            yield stream
        return
    address = require_object(source)
    copy = room / "input"
    _fetch(address, _state(address), copy, pulse)
    with copy.open("rb") as file:
        yield Source(file, str(address))


def _state(address: ObjectAddress) -> ObjectState:
    found = bucket_of(address).state(address.key)
    if found is None:
        raise DataError(f"{address} does not exist. Give the address of a table.")
    return found


def _fetch(address: ObjectAddress, state: ObjectState, copy: Path, pulse: _Pulse) -> None:
    try:
        bucket_of(address).fetch(state, copy, pulse.beat)
    except OSError as error:
        raise DataError(
            f"{address} cannot be copied to {copy.parent.parent}: {error.strerror}. It takes "
            f"{state.size:,} bytes; set TMPDIR to a folder with room."
        ) from None


def _score_into_store(
    source: Path, output: ObjectAddress, score: Score, room: Path, pulse: _Pulse
) -> ScoreResult:
    targets = Targets.beside(output)
    if source in targets:
        raise DataError(f"{source} is the file to score. Give another output.")
    shelf = room / "output"
    shelf.mkdir()
    near = Targets.beside(shelf / output.name)
    # Objects are compared with the addresses, not with where the files are for a while.
    with _named(shelf, output), _opened(source, room, pulse) as stream, claimed(output) as claim:
        bucket = bucket_of(output)
        _fetch_earlier(bucket, targets, near, stream.size, pulse)
        try:
            result = score(stream, near.output, pulse.report)
        except FFNError:
            if near.rejects.exists() and not near.manifest.exists():
                # As with files: of a table that is refused for its rows, the rejects are kept.
                claim.renew()
                bucket.delete(_key(targets.manifest))
                bucket.put_file(_key(targets.rejects), near.rejects, pulse.beat)
            raise
        if not result.unchanged:
            _publish(bucket, claim, targets, near, pulse)
    return replace(
        result, output=targets.output, rejects=targets.rejects, manifest=targets.manifest
    )


def fetch_scored(output: ObjectAddress, folder: Path) -> Path:
    """Copy an output of `score_objects` and its manifest, and return the path of the manifest.

    Parameters
    ----------
    output
        Address of the output.
    folder
        Existing folder for the copies, which are named like the objects.

    Raises
    ------
    DataError
        One of the two does not exist, or the store refuses, or the disk has no room.
    """
    targets, near = Targets.beside(output), Targets.beside(folder / output.name)
    pulse = _Pulse(None)
    for path, copy in ((targets.output, near.output), (targets.manifest, near.manifest)):
        address = output.beside(_key(path))
        _fetch(address, _state(address), copy, pulse)
    return near.manifest


def _publish(
    bucket: Bucket, claim: WriteClaim, targets: Targets, near: Targets, pulse: _Pulse
) -> None:
    """Write the three objects; the manifest goes first if it is old, and comes last if new."""
    claim.renew()
    bucket.delete(_key(targets.manifest))
    bucket.put_file(_key(targets.output), near.output, pulse.beat)
    bucket.put_file(_key(targets.rejects), near.rejects, pulse.beat)
    content = near.manifest.read_bytes()
    while True:
        claim.renew()
        try:
            bucket.put(_key(targets.manifest), content, replacing="")
        except TakenObjectError:
            # Of a run that had stood still and has lost its claim to this one.
            bucket.delete(_key(targets.manifest))
        else:
            return


def _fetch_earlier(
    bucket: Bucket, targets: Targets, near: Targets, size: int | None, pulse: _Pulse
) -> None:
    """Copy an earlier output of an input of this size, which may be that of the same work."""
    found = bucket.small(_key(targets.manifest), _MOST_MANIFEST_BYTES)
    if found is None:
        return
    states: list[ObjectState] = []
    try:
        manifest = json.loads(found[0])
        if manifest["input"]["bytes"] != size:
            return
        for name, path in (("output", targets.output), ("rejects", targets.rejects)):
            state = bucket.state(_key(path))
            if state is None or state.size != manifest["files"][name]["bytes"]:
                return
            states.append(state)
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    _fetch(require_object(targets.output), states[0], near.output, pulse)
    _fetch(require_object(targets.rejects), states[1], near.rejects, pulse)
    near.manifest.write_bytes(found[0])


@contextlib.contextmanager
def _named(shelf: Path, output: ObjectAddress) -> Iterator[None]:
    """Name the objects in errors of the block, instead of the files that become these."""
    try:
        yield
    except FFNError as error:
        error.args = (one_line(str(error).replace(f"{shelf}/", f"{output.parent}/")),)
        raise


def _key(path: Path) -> str:
    return require_object(path).key
