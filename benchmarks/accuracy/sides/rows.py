"""Reads the CSV files for libraries that take a pandas DataFrame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Rows", "read_rows", "with_indicators"]

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a library is given.

    Attributes
    ----------
    train, test
        Columns ``c0``, ``c1``, … (some libraries refuse punctuation in names): float64, a missing
        cell as NaN, or pandas' category of the texts in training, a missing or new one as NaN.
    labels
        Of the training rows, as numbers into ``classes`` [n].
    classes
        Texts in sorted order.
    numeric, categorical
        Names of the columns.
    seed
        For a library that draws at random.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    labels: Labels
    classes: list[str]
    numeric: list[str]
    categorical: list[str]
    seed: int


def read_rows(train: Path, test: Path, seed: int) -> Rows:
    """Read both files; a column is categorical if a cell in training is no number."""
    frame, other = _read(train), _read(test)
    classes, labels = np.unique(frame.pop("label").to_numpy(dtype=str), return_inverse=True)
    other = other.drop(columns="label", errors="ignore")
    names = {name: f"c{number}" for number, name in enumerate(frame.columns)}
    frame, other = frame.rename(columns=names), other.rename(columns=names)
    numeric, categorical = [], []
    for name in frame.columns:
        if (
            (numbers := pd.to_numeric(frame[name], errors="coerce"))
            .isna()
            .equals(frame[name].isna())
        ):
            numeric.append(name)
            frame[name] = numbers.astype(float)
            other[name] = pd.to_numeric(other[name], errors="coerce").astype(float)
        else:
            categorical.append(name)
            known = pd.CategoricalDtype(sorted(frame[name].dropna().unique()))
            frame[name] = frame[name].astype(known)
            new = ~other[name].isin(known.categories)
            other[name] = other[name].mask(new).astype(known)
    return Rows(
        train=frame,
        test=other,
        labels=labels.astype(np.int64),
        classes=[str(label) for label in classes],
        numeric=numeric,
        categorical=categorical,
        seed=seed,
    )


def with_indicators(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both frames with the mean for a missing number, and a column that says where.

    For libraries that take no NaN: the column is there if a number is missing in training.
    """
    parts: list[Any] = []
    for frame in (rows.train, rows.test):
        filled = frame.copy()
        for name in rows.numeric:
            absent = rows.train[name].isna()
            if absent.any():
                filled[f"{name}_missing"] = frame[name].isna().astype(float)
            mean = 0.0 if absent.all() else rows.train[name].mean()
            filled[name] = frame[name].fillna(mean)
        parts.append(filled)
    return parts[0], parts[1]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
