"""Everything that is shown of a pipeline's trainings at a moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffn.watching.class_map import ClassMap
from ffn.watching.observation import LayerFigures
from ffn.watching.snapshots import Curve

__all__ = ["TrainingView", "View", "best_training"]


@dataclass(frozen=True, kw_only=True)
class TrainingView:
    """One training.

    Attributes
    ----------
    label
        Name of the optimizer, or ``refit``.
    rate
        Learning rate of what is shown; NaN if unknown.
    epoch, epochs
        Epochs done, and the largest number there can be.
    networks
        How many networks the curve is the mean of.
    curve
        Losses by epoch.
    layers
        Figures of each layer; empty if there is no network or there are no rows to look at.
    """

    label: str
    rate: float
    epoch: int
    epochs: int
    networks: int
    curve: Curve
    layers: Sequence[LayerFigures] = ()

    @property
    def train(self) -> float:
        """Loss on the training rows after the last epoch that has one; NaN if none has."""
        return _last(self.curve.train)

    @property
    def validation(self) -> float:
        """The same on the validation rows."""
        return _last(self.curve.validation)

    @property
    def judged(self) -> float:
        """Loss by which trainings are compared: on validation rows, where there are any."""
        return self.train if math.isnan(self.validation) else self.validation

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; what is not finite is null."""
        return {
            "training": self.label,
            "learning_rate": _finite(self.rate),
            "epoch": self.epoch,
            "epochs": self.epochs,
            "networks": self.networks,
            "train_loss": _finite(self.train),
            "validation_loss": _finite(self.validation),
            "layers": [
                {"gradient": _finite(one.gradient), "units": one.units, "dead": one.dead}
                for one in self.layers
            ],
            "curve": {
                "epochs": self.curve.epochs.tolist(),
                "train_loss": [_finite(loss) for loss in self.curve.train.tolist()],
                "validation_loss": [_finite(loss) for loss in self.curve.validation.tolist()],
            },
        }


@dataclass(frozen=True, kw_only=True)
class View:
    """Trainings side by side, and what one network answers.

    Attributes
    ----------
    title
        What is shown, in a line.
    trainings
        In the order in which they are listed.
    classes
        Labels, in the order of the map's numbers.
    shown
        Label of the training whose network the map is of; empty without a map.
    map
        What this network answers; None if it is not known.
    notes
        Sentences without a full stop.
    """

    title: str
    trainings: Sequence[TrainingView] = ()
    classes: Sequence[str] = ()
    shown: str = ""
    map: ClassMap | None = None
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; the map is left out, which is a picture."""
        return {
            "trainings": [one.to_json() for one in self.trainings],
            "notes": list(self.notes),
        }


def best_training(trainings: Sequence[TrainingView]) -> TrainingView | None:
    """Return the training with the lowest loss; the first one where none has a loss.

    Parameters
    ----------
    trainings
        To choose from; None is returned if there are none.
    """

    def loss(one: TrainingView) -> float:
        return math.inf if math.isnan(one.judged) else one.judged

    return min(trainings, key=loss, default=None)


def _last(losses: Any) -> float:
    finite = losses[np.isfinite(losses)]
    return float(finite[-1]) if len(finite) else math.nan


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
