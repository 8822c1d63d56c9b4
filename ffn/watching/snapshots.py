"""A training as it is at a moment, in one file of bounded size: curves, and one network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.nn import Network
from ffn.search.combinations import file_label
from ffn.storage.documents import canonical_json, parse_json
from ffn.storage.plain_files import read_plain

__all__ = [
    "MOST_POINTS",
    "REFITTING",
    "WATCH_FOLDER",
    "Curve",
    "Snapshot",
    "read_snapshots",
    "snapshot_path",
]

Array = npt.NDArray[Any]

WATCH_FOLDER = ".watch"
# Label of the last training, that of the winner.
REFITTING = "refit"
# More than a terminal has columns.
MOST_POINTS = 400

_SUFFIX = ".safetensors"
_MOST_BYTES = 2**30
_ABOUT, _PARAMETERS = "about", "parameters"
_CURVES = ("epochs", "train", "validation")


@dataclass(frozen=True)
class Curve:
    """Losses of a network in nats a row, after some of its epochs.

    Attributes
    ----------
    epochs
        Numbers of the epochs [M], from 1, ascending.
    train, validation
        Losses [M] after these epochs; NaN where there is none.
    """

    epochs: Array
    train: Array
    validation: Array

    @classmethod
    def thinned(cls, train: Array, validation: Array, most: int = MOST_POINTS) -> Curve:
        """Return a curve of at most so many epochs, evenly spaced; the last one is among them.

        Parameters
        ----------
        train, validation
            Losses [E] after each epoch from the first.
        most
            Number of epochs to keep, by default more than a terminal has columns.
        """
        kept = np.arange(len(train))
        if len(kept) > most:
            kept = np.linspace(0, len(train) - 1, most).round().astype(int)
        return cls(kept + 1, train[kept].astype(np.float64), validation[kept].astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A training at a moment.

    Attributes
    ----------
    label
        Name of the training: that of the optimizer, or ``refit``.
    epochs
        Largest number of epochs.
    curves
        Curve of one network at each learning rate.
    rate, epoch
        Learning rate of the network that is shown, and after how many epochs it was taken.
    network
        This one network, with parameters [1, P].
    part
        Name of the cache entry that holds the rows it learns from.
    """

    label: str
    epochs: int
    curves: dict[float, Curve]
    rate: float
    epoch: int
    network: Network
    part: str

    def to_bytes(self) -> bytes:
        """Return the content of a file."""
        about = {
            "label": self.label,
            "epochs": self.epochs,
            "rates": list(self.curves),
            "rate": self.rate,
            "epoch": self.epoch,
            "widths": list(self.network.widths),
            "part": self.part,
        }
        arrays = {
            _ABOUT: np.frombuffer(canonical_json(about), np.uint8),
            _PARAMETERS: np.ascontiguousarray(self.network.parameters),
        }
        for number, curve in enumerate(self.curves.values()):
            arrays |= {f"{name}.{number}": getattr(curve, name) for name in _CURVES}
        return safetensors.numpy.save(arrays)

    @classmethod
    def from_bytes(cls, content: bytes) -> Snapshot:
        """Return the snapshot in ``content``, a result of `to_bytes`.

        Raises
        ------
        ValueError
            It is something else.
        """
        try:
            arrays = safetensors.numpy.load(content)
            about = parse_json(arrays[_ABOUT].tobytes())
            curves = {
                float(rate): Curve(*(arrays[f"{name}.{number}"] for name in _CURVES))
                for number, rate in enumerate(about["rates"])
            }
            found = cls(
                label=str(about["label"]),
                epochs=int(about["epochs"]),
                curves=curves,
                rate=float(about["rate"]),
                epoch=int(about["epoch"]),
                network=Network(about["widths"], arrays[_PARAMETERS]),
                part=str(about["part"]),
            )
        except (KeyError, TypeError, ValueError, SafetensorError) as error:
            raise ValueError(f"not a snapshot of a training ({error})") from None
        lengths = {curve.epochs.shape for curve in curves.values()}
        shapes = {getattr(c, name).shape for c in curves.values() for name in _CURVES}
        alone = found.network.parameters.shape[:-1] == (1,)
        within = Path(found.part).name == found.part and not found.part.startswith(".")
        if not (alone and within and shapes == lengths and found.rate in curves):
            raise ValueError("not a snapshot of a training (its parts do not fit together)")
        return found


def snapshot_path(artifacts: Path, label: str) -> Path:
    """Return the file of a training.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    label
        Name of the training.
    """
    return artifacts / WATCH_FOLDER / f"{file_label(label)}{_SUFFIX}"


def read_snapshots(artifacts: Path) -> list[Snapshot]:
    """Return the last snapshot of each training, those of the optimizers first.

    What cannot be read is left out: the next one comes in a moment.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    found = []
    try:
        paths = sorted((artifacts / WATCH_FOLDER).glob(f"[a-z]*{_SUFFIX}"))
    except OSError:
        return []
    for path in paths:
        try:
            found.append(Snapshot.from_bytes(read_plain(path, _MOST_BYTES)))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda snapshot: snapshot.label == REFITTING)
