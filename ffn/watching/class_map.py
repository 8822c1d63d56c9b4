"""What a network answers on a plane through its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import Network
from ffn.watching.observation import Sample

__all__ = ["ClassMap", "Plane", "class_map", "principal_plane"]

Array = npt.NDArray[Any]

# Rows from which the plane's directions are found, at the price of a small decomposition.
_PLANE_ROWS = 300
# Of the rows' extent on either side: the answers around the rows belong to the picture.
_MARGIN = 0.05


@dataclass(frozen=True)
class Plane:
    """The plane through the mean row along the two directions in which rows differ most.

    Attributes
    ----------
    middle, across, up
        The mean row, and two orthogonal directions of length 1, [n_in] each. With one input, the
        second is zero.
    share
        Part of the rows' variance that lies in the plane, from 0 to 1.
    """

    middle: Array
    across: Array
    up: Array
    share: float

    def positions(self, x: Array) -> Array:
        """Return where rows ``x`` [n, n_in] fall on the plane, [n, 2]."""
        found: Array = (x - self.middle) @ np.stack([self.across, self.up], axis=1)
        return found


@dataclass(frozen=True)
class ClassMap:
    """Answers on a grid over the plane, with the rows of a sample in their cells.

    Attributes
    ----------
    answers
        Most probable class of each cell [height, width], the top row first; -1 where the scores
        are not finite.
    confidence
        Its probability, [height, width].
    rows
        Class of the rows in a cell, the most frequent one; -1 where there is none.
    """

    answers: Array
    confidence: Array
    rows: Array


def principal_plane(sample: Sample) -> Plane:
    """Return the plane of the first two principal components of a sample.

    Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Parameters
    ----------
    sample
        Rows, of which some evenly spaced ones are used.
    """
    # Drawn rows are in the order of the table, so the first ones would be of one part of it.
    some = sample.x[:: -(-len(sample.x) // _PLANE_ROWS)]
    middle = some.mean(axis=0)
    _, lengths, directions = np.linalg.svd(some - middle, full_matrices=False)
    axes = np.zeros((2, len(middle)))
    axes[: len(directions)] = directions[:2]
    for axis in axes:
        # The sign of a component is arbitrary; the largest entry is made positive.
        axis *= np.sign(axis[np.abs(axis).argmax()]) or 1.0
    total = float((lengths**2).sum())
    share = float((lengths[:2] ** 2).sum()) / total if total else 1.0
    return Plane(middle, axes[0], axes[1], share)


def class_map(
    network: Network, plane: Plane, sample: Sample, *, width: int, height: int
) -> ClassMap:
    """Return what a network answers on a grid that holds all rows of the sample.

    Parameters
    ----------
    network
        Stack of K networks, whose probabilities are averaged.
    plane
        Where to look.
    sample
        Rows to show.
    width, height
        Number of cells.
    """
    places = plane.positions(sample.x)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = _MARGIN * np.where(high > low, high - low, 1.0)
    low, high = low - margin, high + margin
    across = low[0] + (np.arange(width) + 0.5) / width * (high[0] - low[0])
    up = high[1] - (np.arange(height) + 0.5) / height * (high[1] - low[1])
    grid = (
        plane.middle
        + up[:, np.newaxis, np.newaxis] * plane.up
        + across[:, np.newaxis] * plane.across
    ).reshape(-1, len(plane.middle))
    exact = Network(network.widths, network.parameters.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        probabilities = exact.predict_proba(grid).mean(axis=0)
    finite = np.isfinite(probabilities).all(axis=1)
    answers = np.where(finite, probabilities.argmax(axis=1), -1)
    confidence = np.where(finite, probabilities.max(axis=1), 0.0)
    columns = ((places[:, 0] - low[0]) / (high[0] - low[0]) * width).astype(int)
    lines = ((high[1] - places[:, 1]) / (high[1] - low[1]) * height).astype(int)
    counts = np.zeros((height, width, network.widths[-1]), dtype=int)
    np.add.at(counts, (lines, columns, sample.labels), 1)
    rows = np.where(counts.any(axis=-1), counts.argmax(axis=-1), -1)
    return ClassMap(answers.reshape(height, width), confidence.reshape(height, width), rows)
