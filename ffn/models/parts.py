"""The two parts of a table, as inputs in files: what is trained on, and what is held out.

A training task is given the `TrainingPart` alone, so that it has no way to the rows held out.
Pickled, either is a path: tasks in other processes map the same file, and nothing is copied.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.files import canonical_json
from ffn.tabular.arrays import ArrayFile, open_array
from ffn.tabular.cache import Entry
from ffn.tabular.dataset import Dataset
from ffn.tabular.preparation import Preparation
from ffn.tabular.schema import Schema

__all__ = ["HeldOutPart", "TrainingPart", "read_learnt", "row_bytes", "write_learnt", "write_parts"]

Array = npt.NDArray[Any]

_LEARNT = "learnt.json"
_LABEL_BYTES, _FINGERPRINT_BYTES = 4, 8
# Inputs made at once: 16 MB as float32.
_VALUES_AT_ONCE = 2**22


@dataclass(frozen=True, kw_only=True)
class TrainingPart:
    """The rows to train on.

    Attributes
    ----------
    rows
        n.
    schema, preparation
        Learnt from these rows.
    entry
        The folder of the files.
    """

    rows: int
    schema: Schema
    preparation: Preparation
    entry: Entry

    @property
    def x(self) -> Array:
        """Inputs [n, n_in], in the dtype to train in."""
        return open_array(self.entry.path / "train_inputs.npy")

    @property
    def labels(self) -> Array:
        """Classes, int32 [n]."""
        return open_array(self.entry.path / "train_labels.npy")

    @property
    def fingerprints(self) -> Array:
        """Of the rows' content, uint64 [n]."""
        return open_array(self.entry.path / "train_fingerprints.npy")


@dataclass(frozen=True, kw_only=True)
class HeldOutPart:
    """The rows to be looked at once.

    Attributes
    ----------
    rows
        m.
    entry
        The folder of the files.
    """

    rows: int
    entry: Entry

    @property
    def x(self) -> Array:
        """Inputs [m, n_in]."""
        return open_array(self.entry.path / "test_inputs.npy")

    @property
    def labels(self) -> Array:
        """Classes, int32 [m]."""
        return open_array(self.entry.path / "test_labels.npy")


def row_bytes(preparation: Preparation, dtype: npt.DTypeLike) -> int:
    """Return what a row takes on the disk."""
    inputs = preparation.n_inputs * np.dtype(dtype).itemsize
    return inputs + _LABEL_BYTES + _FINGERPRINT_BYTES


def write_parts(
    folder: Path,
    dataset: Dataset,
    held_out: Array,
    schema: Schema,
    preparation: Preparation,
    dtype: npt.DTypeLike,
) -> None:
    """Turn every row into inputs, and write those held out (booleans [N]) apart from the others."""
    parts = {"train": ~held_out, "test": held_out}
    with ExitStack() as stack:
        files = {
            part: stack.enter_context(
                ArrayFile(folder / f"{part}_inputs.npy", dtype, preparation.n_inputs)
            )
            for part in parts
        }
        step = max(1, _VALUES_AT_ONCE // preparation.n_inputs)
        for rows, numeric, codes in dataset.pieces(schema):
            for start in range(0, len(numeric), step):
                some = slice(start, start + step)
                x = preparation.transform(numeric[some], codes[some], dtype)
                first = rows.start + start
                for part, chosen in parts.items():
                    files[part].append(x[chosen[first : first + len(x)]])
    labels, fingerprints = dataset.labels, dataset.fingerprints
    for part, chosen in parts.items():
        np.save(folder / f"{part}_labels.npy", labels[chosen])
    np.save(folder / "train_fingerprints.npy", fingerprints[parts["train"]])


def write_learnt(
    folder: Path, schema: Schema, preparation: Preparation, notices: list[str]
) -> None:
    """Write what was learnt from the training part, and what the user should know of it."""
    learnt = {"schema": schema.to_json(), "notices": notices}
    (folder / _LEARNT).write_bytes(canonical_json(learnt))
    for name, values in asdict(preparation).items():
        np.save(folder / f"{name}.npy", values)


def read_learnt(folder: Path) -> tuple[Schema, Preparation, tuple[str, ...]]:
    """Read what `write_learnt` wrote."""
    learnt = json.loads((folder / _LEARNT).read_bytes())
    arrays = {field.name: np.load(folder / f"{field.name}.npy") for field in fields(Preparation)}
    return Schema.from_json(learnt["schema"]), Preparation(**arrays), tuple(learnt["notices"])
