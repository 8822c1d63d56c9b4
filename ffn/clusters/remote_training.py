"""A candidate trained by a worker of a cluster: what is sent, what is done there, what comes back.

What crosses is a request in JSON and the rows to train on, as a parcel of the files in which they
are kept; no held-out row, no path that the worker would have to follow, no notification address.
The candidate comes back as the files in which an interrupted retraining keeps one. In a race the
networks of the last stage are sent as well, if they are not too large; without them the worker
trains these again, to the same result. Neither side unpickles any of it.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ffn.blas_threads import one_blas_thread
from ffn.checkpoints.candidate_files import read_candidate, write_candidate
from ffn.checkpoints.stage_files import STAGE_FILES, read_stage, write_stage
from ffn.clusters.answers import answer_with, read_answer
from ffn.clusters.likeness import own_likeness
from ffn.clusters.parcels import pack_files, write_files
from ffn.clusters.workers import RemoteTask, Workers
from ffn.errors import ClusterError, DataError, TrainingError
from ffn.search.combinations import with_combination
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache, CacheEntry, manifest_sha256
from ffn.storage.documents import canonical_json, parse_json
from ffn.training.candidate_training import TrainedNetworks, train_until
from ffn.training.partition import TrainingPart, read_learnt, training_file_names
from ffn.training.selection.candidate import Candidate

__all__ = ["RemoteTraining", "train_for_another"]

_CANDIDATE = ("candidate.json", "candidate.safetensors")
# Only what a training reads: the addresses of notifications are secrets.
_SETTINGS = {
    "data",
    "split",
    "features",
    "network",
    "training",
    "optimizers",
    "search",
    "decision",
    "gate",
}
# Errors of a candidate, which the others survive; any other error of a worker ends the run.
_REFUSALS = {error.__name__: error for error in (TrainingError, DataError)}
_MEGABYTE = 1_000_000


class RemoteTraining:
    """Trains candidates on the workers of a cluster.

    Parameters
    ----------
    workers
        The workers.
    payload_mb
        Most megabytes that they are sent for one table.
    """

    def __init__(self, workers: Workers, payload_mb: int) -> None:
        self._workers = workers
        self._most = payload_mb * _MEGABYTE

    def train_until(
        self,
        part: TrainingPart,
        pipeline: Pipeline,
        optimizer: str,
        stop: int | None,
        earlier: TrainedNetworks | None,
        check: Callable[[], None],
    ) -> tuple[Candidate, TrainedNetworks | None]:
        """Return the candidate that a worker trains, which is that of this process, byte for byte.

        And the networks from which a race goes on; None where it does not, or if the worker sent
        none.

        Parameters
        ----------
        part
            The training part.
        pipeline
            Settings.
        optimizer
            Name of the candidate.
        stop, earlier
            As for ``ffn.training.candidate_training.train_until``.
        check
            Called again and again while waiting; what it raises ends the wait.

        Raises
        ------
        ClusterError
            The workers are unlike this process, lost, or failed; or the rows are too many to be
            sent, and a worker does not share the disk.
        TrainingError, DataError
            The worker refused to train this candidate.
        """
        folder = part.entry.path.resolve()
        paths = [folder / name for name in training_file_names() if (folder / name).exists()]
        size = sum(path.stat().st_size for path in paths)
        here = own_likeness()
        request: dict[str, Any] = {
            "likeness": here,
            "settings": pipeline.settings.model_dump(mode="json", include=_SETTINGS),
            "name": pipeline.name,
            "rows": part.rows,
            "embargo": part.embargo,
            "optimizer": optimizer,
        }
        if stop is not None:
            request["stop"] = stop
        if earlier is not None and sum(own.nbytes for own in earlier.parameters) <= self._most:
            request["earlier"] = _sent(earlier)
        if size > self._most:
            request["folder"] = {
                "path": str(folder),
                "manifest": manifest_sha256(folder),
                "why": f"the rows to train on are {size / _MEGABYTE:,.1f} MB, and at most "
                f"{self._most / _MEGABYTE:,.0f} are sent",
            }
            paths = []
        task = RemoteTask(
            train_for_another, canonical_json(request), str(folder), lambda: pack_files(paths)
        )
        answer = self._workers.compute(task, check)
        return self._read(answer, pipeline, optimizer, here)

    def _read(
        self, answer: bytes, pipeline: Pipeline, optimizer: str, here: dict[str, str]
    ) -> tuple[Candidate, TrainedNetworks | None]:
        name, trained = self._workers.name, None
        try:
            _, files = read_answer(answer, name, here, _REFUSALS)
            with tempfile.TemporaryDirectory(prefix="ffn-") as folder:
                for file in _CANDIDATE:
                    (Path(folder) / file).write_bytes(files[file])
                _, settings = with_combination(pipeline, optimizer)
                found = read_candidate(Path(folder), settings)
                if STAGE_FILES[0] in files:
                    for file in STAGE_FILES:
                        (Path(folder) / file).write_bytes(files[file])
                    trained = read_stage(Path(folder))
        except (KeyError, TypeError, ValueError):
            found = None
        if found is None or found.optimizer != optimizer:
            raise ClusterError(
                f"{name}: what a worker sent back is no candidate. Check what else runs there."
            )
        return replace(found, taken=False), trained


def train_for_another(request: bytes, rows: bytes) -> bytes:
    """Train one candidate for another process, and return a parcel of it, or of what is wrong.

    Parameters
    ----------
    request
        JSON: which candidate, with which settings, and what the other process is like.
    rows
        Parcel of the files of the training part.
    """

    def compute() -> dict[str, bytes]:
        with one_blas_thread(), tempfile.TemporaryDirectory(prefix="ffn-") as name:
            folder = Path(name)
            asked = parse_json(request)
            candidate, trained = _train(asked, rows, folder)
            made = folder / "candidate"
            made.mkdir()
            write_candidate(candidate, made)
            if "stop" in asked:
                write_stage(trained, made)
            return {path.name: path.read_bytes() for path in sorted(made.iterdir())}

    return answer_with(compute, lambda: parse_json(request)["likeness"], _REFUSALS)


def _sent(earlier: TrainedNetworks) -> dict[str, str]:
    """Return the files of a stage as text."""
    with tempfile.TemporaryDirectory(prefix="ffn-") as folder:
        write_stage(earlier, Path(folder))
        return {
            file: base64.b64encode((Path(folder) / file).read_bytes()).decode()
            for file in STAGE_FILES
        }


def _train(asked: dict[str, Any], rows: bytes, folder: Path) -> tuple[Candidate, TrainedNetworks]:
    names = training_file_names()
    if "folder" in asked:
        entry = _shared(**asked["folder"])
    else:
        entry = Cache(folder / "cache").entry("part", lambda new: write_files(rows, new, names))
    schema, preparation, _, _ = read_learnt(entry.path)
    part = TrainingPart(
        rows=asked["rows"],
        schema=schema,
        preparation=preparation,
        entry=entry,
        embargo=asked["embargo"],
    )
    pipeline = Pipeline(
        name=asked["name"],
        settings=check_settings(asked["settings"], "the settings of the task"),
        folder=folder,
        artifacts=folder,
    )
    earlier = None
    if sent := asked.get("earlier"):
        (folder / "earlier").mkdir()
        for file in STAGE_FILES:
            (folder / "earlier" / file).write_bytes(base64.b64decode(sent[file]))
        earlier = read_stage(folder / "earlier")
    return train_until(part, pipeline, asked["optimizer"], asked.get("stop"), earlier)


def _shared(path: str, manifest: str, why: str) -> CacheEntry:
    """Open the folder of rows on a disk that is shared, if it is the one that was meant."""
    try:
        entry = CacheEntry(Path(path))
        if manifest_sha256(entry.path) == manifest:
            return entry
    except OSError:
        pass
    raise ClusterError(
        f"it does not have the folder {path}, and {why}. Mount the root there, raise "
        "runner.payload_mb if scheduler and workers have the memory, or take --runner process."
    )
