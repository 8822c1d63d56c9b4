"""The training part and the held-out part of a table, as memory-mapped files of inputs.

A training task receives only the `TrainingPart`, so that it cannot access the held-out rows.
Either part is pickled as a path: tasks in other processes map the same file, without a copy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.nn.engine.shuffling import PIECE_ROWS
from ffn.storage.cache import CacheEntry
from ffn.storage.documents import canonical_json
from ffn.storage.npy import ArrayFile, open_array, save_array
from ffn.storage.permuted_npy import PermutedFile
from ffn.tabular.schema import Schema
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.histograms import Reference
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.tabular.training_table.training_inputs import inputs_to_learn_from

__all__ = [
    "HeldOutPart",
    "TrainingPart",
    "read_learnt",
    "row_bytes",
    "rows_of_part",
    "training_file_names",
    "write_learnt",
    "write_parts",
]

Array = npt.NDArray[Any]

_LEARNT = "learnt.json"
_TRAIN_INPUTS, _TRAIN_LABELS = "train_inputs.npy", "train_labels.npy"
_FINGERPRINTS = "train_fingerprints.npy"
_TRAIN_GROUPS, _TRAIN_TIMES = "train_groups.npy", "train_times.npy"
_TEST_TIMES = "test_times.npy"
_TEST_INPUTS, _TEST_LABELS = "test_inputs.npy", "test_labels.npy"
_TEST_GROUPS = "test_groups.npy"
_TRAIN_WEIGHTS, _TEST_WEIGHTS = "train_weights.npy", "test_weights.npy"
# Bytes of a row's label and fingerprint, in addition to its inputs.
_BESIDE = 4 + 8
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class TrainingPart:
    """The rows to train on.

    Attributes
    ----------
    rows
        Number of rows, n.
    schema, preparation
        Schema and preprocessing, learnt from these rows.
    entry
        Cache folder that holds the files.
    embargo
        Least distance in time between rows to train on and to validate on, in the unit of the
        times; 0 without times.
    """

    rows: int
    schema: Schema
    preparation: Preparation
    entry: CacheEntry
    embargo: float = 0

    @property
    def x(self) -> Array:
        """Inputs [n, n_in], in the floating-point type used for training."""
        return open_array(self.entry.path / _TRAIN_INPUTS)

    @property
    def labels(self) -> Array:
        """Classes, int32 [n]."""
        return open_array(self.entry.path / _TRAIN_LABELS)

    @property
    def fingerprints(self) -> Array:
        """Fingerprints of the rows' contents, uint64 [n]."""
        return open_array(self.entry.path / _FINGERPRINTS)

    @property
    def groups(self) -> Array | None:
        """Identifiers of the rows' groups, uint64 [n]; None if they are split without groups."""
        return _open_if_there(self.entry.path / _TRAIN_GROUPS)

    @property
    def times(self) -> Array | None:
        """Times of the rows [n]; None if they are split without times."""
        return _open_if_there(self.entry.path / _TRAIN_TIMES)

    @property
    def weights(self) -> Array | None:
        """Weights of the rows [n], float64, of mean 1; None if all count alike."""
        return _open_if_there(self.entry.path / _TRAIN_WEIGHTS)

    @property
    def units(self) -> Array:
        """Identifiers, uint64 [n], of rows that share a fold: their groups, or fingerprints."""
        groups = self.groups
        return self.fingerprints if groups is None else groups


@dataclass(frozen=True, kw_only=True)
class HeldOutPart:
    """The held-out rows, which are used once, for the final evaluation.

    Attributes
    ----------
    rows
        Number of rows, m.
    entry
        Cache folder that holds the files.
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

    @property
    def groups(self) -> Array | None:
        """Identifiers of the rows' groups, uint64 [m]; None if they are split without groups."""
        return _open_if_there(self.entry.path / _TEST_GROUPS)

    @property
    def times(self) -> Array | None:
        """Times of the rows [m]; None if they are split without times."""
        return _open_if_there(self.entry.path / _TEST_TIMES)

    @property
    def weights(self) -> Array | None:
        """Weights of the rows [m], float64, of mean 1; None if all count alike."""
        return _open_if_there(self.entry.path / _TEST_WEIGHTS)


def training_file_names() -> list[str]:
    """Return the names of all files that a `TrainingPart` may consist of: no held-out row."""
    arrays = (_TRAIN_INPUTS, _TRAIN_LABELS, _FINGERPRINTS)
    of_some = (_TRAIN_GROUPS, _TRAIN_TIMES, _TRAIN_WEIGHTS)
    learnt = (f"{name}.npy" for name in Preparation.array_names())
    return [_LEARNT, *arrays, *of_some, *learnt]


def _open_if_there(path: Path) -> Array | None:
    return open_array(path) if path.exists() else None


def rows_of_part(training: Array) -> Array:
    """Return the table's row number of each row of the training part, int32 [n], in its order.

    Parameters
    ----------
    training
        Booleans [N]: rows to train on.
    """
    order = _order(int(np.count_nonzero(training)), PIECE_ROWS)
    found: Array = np.flatnonzero(training).astype(np.int32)[order]
    return found


def row_bytes(preparation: Preparation, dtype: npt.DTypeLike) -> int:
    """Return the size of a row on disk, in bytes."""
    return preparation.n_inputs * np.dtype(dtype).itemsize + _BESIDE


def write_parts(
    folder: Path,
    dataset: Dataset,
    division: Division,
    schema: Schema,
    preparation: Preparation,
    dtype: npt.DTypeLike,
    *,
    values_at_once: int = 2**22,
    shuffled_whole: int = PIECE_ROWS,
) -> None:
    """Transform every row to inputs, and write the training part and the held-out part.

    The class statistics of training rows are cross-fitted: `inputs_to_learn_from`.

    Parameters
    ----------
    folder
        Folder to write to.
    dataset
        The training table, N rows.
    division
        The two sides of the rows; those on neither are not written.
    schema, preparation
        Schema and preprocessing, learnt from the training part.
    dtype
        Floating-point type of the inputs.
    values_at_once
        Inputs that are computed at once; by default so many as take 16 MB as float32.
    shuffled_whole
        Training rows up to which ``ffn.nn`` shuffles an epoch whole, so that their order in the
        file has no effect and is left as it is. More are written in random order.

    Raises
    ------
    DataError
        A number is too far from the training rows' to be represented as an input.
    """
    training, held_out = division.training, division.held_out
    order = _order(int(np.count_nonzero(training)), shuffled_whole)
    fingerprints = dataset.fingerprints
    units = fingerprints if division.groups is None else division.groups
    with (
        PermutedFile(folder / _TRAIN_INPUTS, dtype, preparation.n_inputs, order) as train,
        ArrayFile(folder / _TEST_INPUTS, dtype, preparation.n_inputs) as test,
    ):
        for here, x, numeric in inputs_to_learn_from(
            dataset, schema, preparation, training, units, dtype, values_at_once=values_at_once
        ):
            # Regardless of the type used in training, inputs of a bundle are float32.
            if max(x.max(initial=0), -x.min(initial=0)) > _LARGEST:
                _refuse_far(dataset, schema, preparation, numeric, here.start)
            train.append(x[training[here]])
            test.append(x[held_out[here]])
    labels, table_rows = dataset.labels, np.flatnonzero(training).astype(np.int32)[order]
    save_array(folder / _TRAIN_LABELS, labels[table_rows])
    save_array(folder / _FINGERPRINTS, fingerprints[table_rows])
    save_array(folder / _TEST_LABELS, labels[held_out])
    if division.groups is not None:
        save_array(folder / _TRAIN_GROUPS, division.groups[table_rows])
        save_array(folder / _TEST_GROUPS, division.groups[held_out])
    if division.times is not None:
        save_array(folder / _TRAIN_TIMES, division.times[table_rows])
        save_array(folder / _TEST_TIMES, division.times[held_out])
    if (weights := dataset.weights) is not None:
        for name, own in (
            (_TRAIN_WEIGHTS, weights[table_rows]),
            (_TEST_WEIGHTS, weights[held_out]),
        ):
            save_array(folder / name, own / own.mean())


def _refuse_far(
    dataset: Dataset, schema: Schema, preparation: Preparation, numeric: Array, first: int
) -> None:
    """Raise `DataError` for the first number [n, F] that exceeds float32 as an input."""
    for i, f in np.argwhere(preparation.too_large(numeric))[:1]:
        mean, scale = preparation.moments_of(int(f))
        raise DataError(
            f"{dataset.file_of(int(first + i))} row {dataset.row_in_file(int(first + i))}, "
            f"column {quote(schema.numeric[f].name)}: "
            f"{numeric[i, f]:g} is too far from the training rows, whose mean is "
            f"{mean:.4g} with a standard deviation of {scale:.4g}. "
            "Correct the cell, or add the column to data.exclude."
        )


def _order(n: int, shuffled_whole: int) -> Array:
    """Return the order, int32 [n], in which training rows are written.

    It is the order of the table, unless there are so many rows that ``ffn.nn`` shuffles them in
    blocks: the blocks of a table sorted by class would differ in their classes, and training would
    favour those of the last block. The seed is fixed and not the pipeline's, which already
    determines the order within each epoch.
    """
    order = np.arange(n, dtype=np.int32)
    if n > shuffled_whole:
        np.random.default_rng(0).shuffle(order)
    return order


def write_learnt(
    folder: Path,
    schema: Schema,
    preparation: Preparation,
    reference: Reference,
    notices: list[str],
) -> None:
    """Write what was learnt from the training part, with notices for the user.

    Parameters
    ----------
    folder
        Folder to write to.
    schema, preparation, reference
        Schema, preprocessing and histograms of the training part.
    notices
        Sentences for the user.
    """
    learnt = {
        "schema": schema.to_json(),
        "reference": reference.to_json(),
        "notices": notices,
    }
    (folder / _LEARNT).write_bytes(canonical_json(learnt))
    for name, values in preparation.to_arrays().items():
        save_array(folder / f"{name}.npy", values)


def read_learnt(folder: Path) -> tuple[Schema, Preparation, Reference, tuple[str, ...]]:
    """Read what `write_learnt` wrote into ``folder``."""
    learnt = json.loads((folder / _LEARNT).read_bytes())
    paths = {name: folder / f"{name}.npy" for name in Preparation.array_names()}
    arrays = {name: np.load(path) for name, path in paths.items() if path.exists()}
    preparation = Preparation.of_arrays(arrays)
    schema = replace(Schema.from_json(learnt["schema"]), encoder=preparation.texts)
    reference = Reference.from_json(learnt["reference"], schema)
    return schema, preparation, reference, tuple(learnt["notices"])
