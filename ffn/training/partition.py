"""The two parts of a table, as inputs in files: what is trained on, and what is held out.

A training task is given the `TrainingPart` alone, so that it has no way to the rows held out.
Pickled, either is a path: tasks in other processes map the same file, and nothing is copied.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.storage.atomic import canonical_json
from ffn.storage.cache import CacheEntry
from ffn.storage.npy import ArrayFile, open_array, save_array
from ffn.storage.permuted_npy import PermutedFile
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.histograms import Reference
from ffn.tabular.training_table.preprocessing import Preparation

__all__ = ["HeldOutPart", "TrainingPart", "read_learnt", "row_bytes", "write_learnt", "write_parts"]

Array = npt.NDArray[Any]

_LEARNT = "learnt.json"
_TRAIN_INPUTS, _TRAIN_LABELS = "train_inputs.npy", "train_labels.npy"
_FINGERPRINTS = "train_fingerprints.npy"
_TEST_INPUTS, _TEST_LABELS = "test_inputs.npy", "test_labels.npy"
# Beside the inputs: label and fingerprint.
_BESIDE = 4 + 8
# Up to so many rows an epoch of ``ffn.nn`` is one permutation.
_SHUFFLED_WHOLE = 2**18
# Inputs made at once: 16 MB as float32.
_VALUES_AT_ONCE = 2**22
_LARGEST = float(np.finfo(np.float32).max)


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
    entry: CacheEntry

    @property
    def x(self) -> Array:
        """Inputs [n, n_in], in the dtype to train in."""
        return open_array(self.entry.path / _TRAIN_INPUTS)

    @property
    def labels(self) -> Array:
        """Classes, int32 [n]."""
        return open_array(self.entry.path / _TRAIN_LABELS)

    @property
    def fingerprints(self) -> Array:
        """Of the rows' content, uint64 [n]."""
        return open_array(self.entry.path / _FINGERPRINTS)


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
    entry: CacheEntry

    @property
    def x(self) -> Array:
        """Inputs [m, n_in]."""
        return open_array(self.entry.path / _TEST_INPUTS)

    @property
    def labels(self) -> Array:
        """Classes, int32 [m]."""
        return open_array(self.entry.path / _TEST_LABELS)


def row_bytes(preparation: Preparation, dtype: npt.DTypeLike) -> int:
    """Return what a row takes on the disk."""
    return preparation.n_inputs * np.dtype(dtype).itemsize + _BESIDE


def write_parts(
    folder: Path,
    dataset: Dataset,
    held_out: Array,
    schema: Schema,
    preparation: Preparation,
    dtype: npt.DTypeLike,
) -> None:
    """Turn every row into inputs, and write those held out (booleans [N]) apart from the others.

    Raises
    ------
    DataError
        A number is too far from the training rows' to be an input.
    """
    order = _order(int(np.count_nonzero(~held_out)))
    with (
        PermutedFile(folder / _TRAIN_INPUTS, dtype, preparation.n_inputs, order) as train,
        ArrayFile(folder / _TEST_INPUTS, dtype, preparation.n_inputs) as test,
    ):
        step = max(1, _VALUES_AT_ONCE // preparation.n_inputs)
        for rows, numeric, codes in dataset.pieces(schema):
            for start in range(0, len(numeric), step):
                some = slice(start, start + step)
                x = preparation.transform(numeric[some], codes[some], dtype)
                first = rows.start + start
                # Whatever the dtype to train in: a bundle's inputs are float32.
                if max(x.max(initial=0), -x.min(initial=0)) > _LARGEST:
                    _refuse_far(dataset, schema, preparation, numeric[some], first)
                tested = held_out[first : first + len(x)]
                train.append(x[~tested])
                test.append(x[tested])
    labels, table_rows = dataset.labels, np.flatnonzero(~held_out).astype(np.int32)[order]
    save_array(folder / _TRAIN_LABELS, labels[table_rows])
    save_array(folder / _FINGERPRINTS, dataset.fingerprints[table_rows])
    save_array(folder / _TEST_LABELS, labels[held_out])


def _refuse_far(
    dataset: Dataset, schema: Schema, preparation: Preparation, numeric: Array, first: int
) -> None:
    """Raise for the first number [n, F] that is beyond float32 as an input, if one is."""
    for i, f in np.argwhere(preparation.too_large(numeric))[:1]:
        raise DataError(
            f"{dataset.file} row {dataset.row_in_file(int(first + i))}, "
            f"column {quote(schema.numeric[f].name)}: "
            f"{numeric[i, f]:g} is too far from the training rows, whose mean is "
            f"{preparation.mean[f]:.4g} with a standard deviation of {preparation.scale[f]:.4g}. "
            "Correct the cell, or add the column to data.exclude."
        )


def _order(n: int) -> Array:
    """Return int32 [n], the order in which training rows stand in their files.

    A table's own, unless ``ffn.nn`` shuffles so many rows in blocks: of a file sorted by class
    each block would have a mixture of classes of its own, and training would follow the last.
    The seed is no pipeline's: each epoch's order comes from that.
    """
    order = np.arange(n, dtype=np.int32)
    if n > _SHUFFLED_WHOLE:
        np.random.default_rng(0).shuffle(order)
    return order


def write_learnt(
    folder: Path,
    schema: Schema,
    preparation: Preparation,
    reference: Reference,
    notices: list[str],
) -> None:
    """Write what was learnt from the training part, and what the user should know of it."""
    learnt = {
        "schema": schema.to_json(),
        "reference": reference.to_json(),
        "notices": notices,
    }
    (folder / _LEARNT).write_bytes(canonical_json(learnt))
    for name, values in asdict(preparation).items():
        if values is None:
            continue
        save_array(folder / f"{name}.npy", values)


def read_learnt(folder: Path) -> tuple[Schema, Preparation, Reference, tuple[str, ...]]:
    """Read what `write_learnt` wrote."""
    learnt = json.loads((folder / _LEARNT).read_bytes())
    paths = {field.name: folder / f"{field.name}.npy" for field in fields(Preparation)}
    arrays = {name: np.load(path) for name, path in paths.items() if path.exists()}
    schema = Schema.from_json(learnt["schema"])
    reference = Reference.from_json(learnt["reference"], schema)
    return schema, Preparation(**arrays), reference, tuple(learnt["notices"])
