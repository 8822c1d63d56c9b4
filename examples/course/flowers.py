"""The 150 irises of ``data/iris`` as arrays."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["SPECIES", "iris", "scaled"]

SPECIES = ("setosa", "versicolor", "virginica")
_TABLE = Path(__file__).parents[2] / "data" / "iris" / "train.csv"

Array = npt.NDArray[np.float64]


def iris() -> tuple[Array, npt.NDArray[np.int_]]:
    """Return the four measurements of each flower, in cm, [150, 4], and its species, [150]."""
    with _TABLE.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    species = [SPECIES.index(row[4].removeprefix("Iris-")) for row in rows]
    return np.array([row[:4] for row in rows], float), np.array(species)


def scaled(flowers: Array) -> Array:
    """Return each column with mean 0 and standard deviation 1.

    Parameters
    ----------
    flowers
        Any number of rows and columns.
    """
    return np.asarray((flowers - flowers.mean(axis=0)) / flowers.std(axis=0))
