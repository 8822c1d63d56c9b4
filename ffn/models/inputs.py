"""From a training CSV to the network's inputs: the first steps of a retraining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, quote
from ffn.models.memory import memory_limit
from ffn.models.pipeline import Pipeline
from ffn.models.settings import DEFAULT_EXCLUDE
from ffn.nn import Network
from ffn.tabular.dataset import Dataset, choose_features, read_dataset
from ffn.tabular.preparation import Preparation, fit_preparation
from ffn.tabular.schema import Schema, prediction_columns
from ffn.tabular.splits import check_class_sizes, hold_out_stable, sampling_units
from ffn.tabular.table import read_table

__all__ = ["Prepared", "load", "normalise", "split"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Inputs for the network: the training part, and the rows held out.

    Attributes
    ----------
    x_train, x_test
        [n, n_in], in the dtype to train in.
    labels_train, labels_test
        Integers [n].
    fingerprints
        uint64 [n] of the training part.
    schema, preparation
        Learnt from the training part.
    source_sha256
        Of the training CSV.
    notices
        What the user should know, a sentence each.
    """

    x_train: Array
    labels_train: Array
    x_test: Array
    labels_test: Array
    fingerprints: Array
    schema: Schema
    preparation: Preparation
    source_sha256: str
    notices: tuple[str, ...]


def load(pipeline: Pipeline) -> Dataset:
    """Read and check the training CSV.

    Raises
    ------
    DataError
        It cannot be read, or not be learnt from.
    SettingsError
        The settings name a column that it does not have.
    """
    data = pipeline.settings.data
    if pipeline.source.exists() and not (pipeline.source.is_file() or pipeline.source.is_dir()):
        raise DataError(f"{pipeline.source} is a device or pipe. Give the path of a CSV file.")
    table = read_table(pipeline.source, delimiter=data.delimiter)
    features = choose_features(
        table.header,
        target=data.target,
        features=data.features,
        exclude=data.exclude,
        default_exclude=DEFAULT_EXCLUDE,
        where=table.path.name,
    )
    for name in set(prediction_columns(data.target)).intersection(features):
        raise SettingsError(
            f"{table.path.name} has a feature column {quote(name)}, which is what scoring calls a "
            "column that it adds. Rename the column."
        )
    return read_dataset(
        table,
        target=data.target,
        features=features,
        missing_values=data.missing_values,
        kinds=data.kinds,
    )


def split(dataset: Dataset, pipeline: Pipeline) -> Array:
    """Return booleans [N]: True for the rows held out for the final figure.

    Raises
    ------
    DataError
        There is one class only, or one with too few rows.
    """
    training = pipeline.settings.training
    where = f"{dataset.file}, column {quote(dataset.target)}"
    units = sampling_units(dataset.labels, dataset.fingerprints)
    check_class_sizes(dataset.labels, units, dataset.classes, where)
    return hold_out_stable(dataset.labels, units, training.test_share, training.seed)


def normalise(dataset: Dataset, held_out: Array, pipeline: Pipeline) -> Prepared:
    """Turn columns into inputs, with statistics from the training part alone.

    Raises
    ------
    DataError
        Nothing can be learnt from the training part.
    SettingsError
        Inputs and networks would not fit into the memory of this machine or container.
    """
    train_rows = np.flatnonzero(~held_out)
    schema, notices = dataset.learn_schema(train_rows)
    if np.isin(dataset.fingerprints[held_out], dataset.fingerprints[train_rows]).any():
        contents = len(np.unique(dataset.fingerprints))
        notices.append(
            f"rows repeat ({contents:,} different among {len(held_out):,}), and equal ones stand "
            "on both sides of the split"
        )
    numeric, codes = dataset.arrays(schema)
    preparation = fit_preparation(schema, numeric[train_rows], codes[train_rows])
    _check_memory(len(dataset.labels), preparation.n_inputs, len(schema.classes), pipeline)
    x = preparation.transform(numeric, codes, np.dtype(pipeline.settings.training.dtype))
    return Prepared(
        x_train=x[train_rows],
        labels_train=dataset.labels[train_rows],
        x_test=x[held_out],
        labels_test=dataset.labels[held_out],
        fingerprints=dataset.fingerprints[train_rows],
        schema=schema,
        preparation=preparation,
        source_sha256=dataset.source_sha256,
        notices=tuple(notices),
    )


def _check_memory(n_rows: int, n_inputs: int, n_classes: int, pipeline: Pipeline) -> None:
    """Refuse what cannot fit: the system would end the process, and say nothing."""
    training = pipeline.settings.training
    widths = (n_inputs, *pipeline.settings.network.hidden_layers, n_classes)
    item = np.dtype(training.dtype).itemsize
    # Parameters, gradients, an optimizer's two moments, best and last epoch: six at least.
    networks = 6 * training.networks * Network.count(widths) * item
    figures = 4 * training.networks * training.epochs * 8
    needed = n_rows * n_inputs * item + networks + figures
    there = memory_limit()
    if needed > there:
        raise SettingsError(
            f"{pipeline.name}: {n_inputs} inputs, hidden layers "
            f"{list(widths[1:-1][:8])}, {n_classes} classes and {training.networks} networks need "
            f"{needed / 1e9:,.1f} GB of memory, and this machine or container has "
            f"{there / 1e9:,.1f} GB. Lower network.hidden_layers, training.networks or "
            "training.epochs, or exclude columns."
        )
