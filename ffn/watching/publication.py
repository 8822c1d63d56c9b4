"""What a training shows of itself while somebody watches, and who watches.

::

    artifacts/<pipeline>/.watch/
      watched              locked by whoever watches
      adam.safetensors     the last snapshot of a training

A training looks a few times a second whether the first file is locked. If it is not, nothing is
copied and nothing written. If it is, the training writes a snapshot between two epochs. Neither
draws random numbers nor changes parameters, so the result is the same, byte for byte. The kernel
ends the lock of a watcher that is killed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import Network
from ffn.storage.atomic import sweep, temporary_name
from ffn.storage.descriptors import open_regular
from ffn.storage.locks import lock, open_lock_file, try_lock
from ffn.training.network_groups import Sight
from ffn.watching.snapshots import WATCH_FOLDER, Curve, Snapshot, snapshot_path

__all__ = ["Publication", "forget_snapshots", "is_watched", "watching"]

Array = npt.NDArray[Any]

_WATCHED = "watched"
# What a person can follow.
_SECONDS_BETWEEN = 0.25
# A snapshot that takes long to write, of a large network or on a slow disk, is written rarely.
_LARGEST_SHARE = 0.02


def is_watched(artifacts: Path) -> bool:
    """Return whether somebody watches the trainings of a pipeline.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    try:
        handle = open_regular(artifacts / WATCH_FOLDER / _WATCHED, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_lock(handle)
    except OSError:
        return False
    finally:
        os.close(handle)


@contextlib.contextmanager
def watching(artifacts: Path) -> Iterator[None]:
    """Make the trainings of a pipeline publish snapshots while the block runs.

    Whoever comes first removes snapshots from an earlier time, which would show a training that
    has gone on since.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``; it has to exist.

    Raises
    ------
    OSError
        Nothing can be written or locked there.
    """
    folder = artifacts / WATCH_FOLDER
    folder.mkdir(exist_ok=True)
    sweep(folder)
    if not is_watched(artifacts):
        forget_snapshots(artifacts)
    with open_lock_file(folder / _WATCHED) as handle:
        # A training that looks holds it for a moment.
        lock(handle, shared=True)
        yield


def forget_snapshots(artifacts: Path) -> None:
    """Remove the snapshots of earlier trainings, as far as possible.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    with contextlib.suppress(OSError):
        for path in snapshot_path(artifacts, "any").parent.glob("*.safetensors"):
            path.unlink(missing_ok=True)


class Publication:
    """An `Observer` of ``ffn.training`` that publishes one training. It never raises OSError.

    Of all networks at a learning rate the first one is shown. Its parameters are published at the
    rate whose network has the lowest loss, on its validation rows if there are any.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    label
        Name of the training: that of the optimizer, or ``refit``.
    part
        Name of the cache entry with the rows to train on.
    clock
        Seconds that never go back; by default those of this machine.
    """

    def __init__(
        self, artifacts: Path, label: str, part: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._artifacts, self._label, self._part, self._clock = artifacts, label, part, clock
        self._path = snapshot_path(artifacts, label)
        self._busy = threading.Lock()
        self._next = -np.inf
        self._places: dict[float, tuple[int, int]] = {}
        self._curves: dict[float, Curve] = {}
        self._losses: dict[float, float] = {}
        self._shown: tuple[float, int, Network] | None = None

    def __call__(self, sight: Sight) -> None:
        """Publish what is seen, if somebody watches and some time has passed.

        Parameters
        ----------
        sight
            Networks in training. The last epoch is published whatever the time.
        """
        now, last = self._clock(), sight.epoch >= sight.epochs
        if now < self._next and not last:
            return
        # Another thread trains on while one writes, unless it has nothing more to show later.
        if not self._busy.acquire(blocking=last):
            return
        try:
            self._next = now + _SECONDS_BETWEEN
            if is_watched(self._artifacts):
                self._take(sight)
                self._write(sight)
                spent = self._clock() - now
                self._next = now + max(_SECONDS_BETWEEN, spent / _LARGEST_SHARE)
        finally:
            self._busy.release()

    def _take(self, sight: Sight) -> None:
        """Copy curves, and the parameters of the network that is shown."""
        first_of: dict[float, int] = {}
        for place, rate in enumerate(sight.rates):
            first_of.setdefault(rate, place)
        history = sight.history
        for rate, place in first_of.items():
            # Of the latest stage of a race the first network, which another group may have.
            where = -sight.stage, sight.first + place
            if where > self._places.get(rate, where):
                continue
            self._places[rate] = where
            columns = (history.train_loss, history.validation_loss)
            train, validation = (column[: sight.epoch, place] for column in columns)
            self._curves[rate] = Curve.thinned(train, validation)
            loss = _last(validation if np.isfinite(validation).any() else train)
            self._losses[rate] = loss if history.diverged[place] is None else np.inf
        self._curves = dict(sorted(self._curves.items()))
        best = min(self._losses, key=lambda rate: self._losses[rate])
        place = first_of.get(best, -1)
        if place in sight.members and (-sight.stage, sight.first + place) == self._places[best]:
            network = sight.network.select([list(sight.members).index(place)])
            self._shown = best, sight.epoch, network
        elif self._shown is None:
            self._shown = sight.rates[sight.members[0]], sight.epoch, sight.network.select([0])

    def _write(self, sight: Sight) -> None:
        """Write a snapshot; it is not flushed to disk, since nothing depends on it tomorrow."""
        if self._shown is None:
            return
        rate, epoch, network = self._shown
        snapshot = Snapshot(
            label=self._label,
            epochs=sight.epochs,
            curves=self._curves,
            rate=rate,
            epoch=epoch,
            network=network,
            part=self._part,
        )
        temporary = self._path.parent / temporary_name()
        with contextlib.suppress(OSError):
            try:
                temporary.write_bytes(snapshot.to_bytes())
                temporary.replace(self._path)
            finally:
                temporary.unlink(missing_ok=True)


def _last(losses: Array) -> float:
    """Return the last finite loss; infinity if there is none."""
    finite = losses[np.isfinite(losses)]
    return float(finite[-1]) if len(finite) else np.inf
