"""Divides a table into training and test rows by a fixed rule and a seed, and writes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.accuracy.tables.catalogue import Table

__all__ = ["LABEL", "Split", "labelled", "split", "write_split"]

LABEL = "label"
TRAIN_ROWS, TEST_ROWS = 30_000, 10_000
"""At most so many; of a longer table, others of its rows are taken with each seed."""

TEST_SHARE = 0.25
LEAST_ROWS = 20
"""A class of fewer rows is left out: its test part would be a handful of rows."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Two files and what they are.

    Attributes
    ----------
    train, test
        CSV files with a header; the label is in the column ``label``.
    digest
        SHA-256 of both.
    rows, features, classes
        Of training.
    """

    train: Path
    test: Path
    digest: str
    rows: int
    features: int
    classes: int


def labelled(table: Table) -> pd.DataFrame:
    """Return the rows that have a label, with it as the last column.

    Rows of a class with fewer than `LEAST_ROWS` rows are left out.
    """
    frame = table.shipped.read()
    target = frame[table.target]
    frame = frame.drop(columns=[table.target, *table.without])
    if table.late_from is not None:
        late = (target >= table.late_from).map({True: "late", False: "in time"})
        target = late.where(target.notna())
    counts = target.map(target.value_counts())
    kept = target.notna() & (counts >= LEAST_ROWS)
    return frame[kept].assign(**{LABEL: target[kept]}).reset_index(drop=True)


def split(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows, stratified by label, each in random order."""
    test = min(TEST_ROWS, round(TEST_SHARE * len(frame)))
    train = min(TRAIN_ROWS, len(frame) - test)
    chosen = train_test_split(
        np.arange(len(frame)),
        train_size=train,
        test_size=test,
        stratify=frame[LABEL].to_numpy(dtype=str),
        random_state=seed,
    )
    return frame.iloc[chosen[0]], frame.iloc[chosen[1]]


def write_split(table: Table, seed: int, folder: Path) -> Split:
    """Write ``train.csv`` and ``test.csv`` into a folder; an empty cell is a missing value."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    train, test = split(labelled(table), seed)
    paths = folder / "train.csv", folder / "test.csv"
    for path, rows in zip(paths, (train, test), strict=True):
        rows.to_csv(path, index=False, lineterminator="\n")
        digest.update(path.read_bytes())
    return Split(
        train=paths[0],
        test=paths[1],
        digest=digest.hexdigest(),
        rows=len(train),
        features=train.shape[1] - 1,
        classes=train[LABEL].nunique(),
    )
