"""From a training CSV to the network's inputs: the first steps of a retraining."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import SettingsError, quote
from ffn.settings.data_settings import DEFAULT_EXCLUDE
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache, require_space
from ffn.storage.source import refuse_pipe
from ffn.tabular.schema import Schema, prediction_columns
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import recognise
from ffn.tabular.training_table.histograms import Reference, learn_reference
from ffn.tabular.training_table.ingest import Choice, read_dataset
from ffn.tabular.training_table.preprocessing import Preparation, fit_preparation, inputs_in_words
from ffn.tabular.training_table.splits import check_class_sizes, hold_out_stable, sampling_units
from ffn.training.memory import check_memory
from ffn.training.partition import (
    HeldOutPart,
    TrainingPart,
    read_learnt,
    row_bytes,
    write_learnt,
    write_parts,
)
from ffn.training.resampling import candidate_resamples, resamples_name
from ffn.training.table_change import TableChange

__all__ = ["Prepared", "learn", "load", "normalise", "require_room", "split"]

Array = npt.NDArray[Any]

# Of what `normalise` keeps in the cache.
_FORMAT = 3


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Inputs for the network: the training part, and the rows held out.

    Attributes
    ----------
    training, held_out
        The parts; a training task gets the first alone.
    reference
        Histograms of the training part.
    source_sha256
        Of the training CSV.
    notices
        What the user should know, a sentence each.
    changes
        In what the table differs from that of the version in production, once that was asked.
    unlabelled
        Rows of the training CSV that have no label, and are in neither part.
    """

    training: TrainingPart
    held_out: HeldOutPart
    reference: Reference
    source_sha256: str
    notices: tuple[str, ...]
    changes: tuple[TableChange, ...] = ()
    unlabelled: int = 0

    @property
    def schema(self) -> Schema:
        """The contract, learnt from the training part."""
        return self.training.schema

    @property
    def preparation(self) -> Preparation:
        """Typed columns to inputs, learnt from the training part."""
        return self.training.preparation

    @property
    def x_train(self) -> Array:
        """Inputs to train on [n, n_in]."""
        return self.training.x

    @property
    def labels_train(self) -> Array:
        """Their classes [n]."""
        return self.training.labels

    @property
    def fingerprints(self) -> Array:
        """Their fingerprints, uint64 [n]."""
        return self.training.fingerprints

    @property
    def x_test(self) -> Array:
        """Inputs held out [m, n_in]."""
        return self.held_out.x

    @property
    def labels_test(self) -> Array:
        """Their classes [m]."""
        return self.held_out.labels


def load(pipeline: Pipeline) -> Dataset:
    """Read and check the training CSV, or take from the cache what was made of it before.

    Raises
    ------
    DataError
        It cannot be read, or not be learnt from, or the disk is full.
    SettingsError
        The settings name a column that it does not have.
    """
    data = pipeline.settings.data
    refuse_pipe(pipeline.source)
    choice = Choice(
        target=data.target,
        features=data.features,
        exclude=data.exclude,
        default_exclude=DEFAULT_EXCLUDE,
        missing_values=data.missing_values,
        kinds=data.kinds,
        formats=data.formats,
        labels=data.labels or {},
        missing_labels=data.missing_labels,
        delimiter=data.delimiter,
        decimal=data.decimal,
        encoding=data.encoding,
    )
    dataset = read_dataset(pipeline.source, _cache(pipeline), choice)
    for name in set(prediction_columns(data.target)).intersection([data.target, *dataset.order]):
        what = "target" if name == data.target else "feature"
        raise SettingsError(
            f"{dataset.file} has a {what} column {quote(name)}, which is what scoring calls a "
            "column that it adds. Rename the column."
        )
    return dataset


def split(dataset: Dataset, pipeline: Pipeline) -> Array:
    """Return booleans [N]: True for the rows held out for the final figure.

    Raises
    ------
    DataError
        There is one class only, or one with too few rows.
    """
    training = pipeline.settings.training
    where = f"{dataset.file}, column {quote(dataset.target)}"
    labels = dataset.labels
    units = sampling_units(labels, dataset.fingerprints)
    check_class_sizes(labels, units, dataset.classes, where)
    return hold_out_stable(labels, units, training.test_share, training.seed)


def learn(dataset: Dataset, held_out: Array) -> tuple[Schema, Preparation, list[str]]:
    """Return what the training part alone teaches of the columns, and notices; write nothing.

    Raises
    ------
    DataError
        Nothing can be learnt from the training part.
    """
    schema, notices = dataset.learn_schema(~held_out)
    notices = [*dataset.notices, *notices, *_repeated(dataset.fingerprints, held_out)]
    return schema, fit_preparation(dataset, schema, ~held_out), notices


def require_room(
    folder: Path, dataset: Dataset, schema: Schema, preparation: Preparation, pipeline: Pipeline
) -> None:
    """Refuse more inputs than the memory has room for, or the disk on which ``folder`` is.

    Raises
    ------
    DataError, SettingsError
        The one, or the other; the column of most categories is named.
    """
    check_memory(schema, preparation, pipeline)
    needed = dataset.rows * row_bytes(preparation, pipeline.settings.training.dtype)
    inputs = inputs_in_words(schema, preparation)
    require_space(folder, needed, f"the training table as {inputs}")


def normalise(dataset: Dataset, held_out: Array, pipeline: Pipeline) -> Prepared:
    """Turn columns into inputs, with statistics from the training part alone.

    Raises
    ------
    DataError
        Nothing can be learnt from the training part, a number is too far from it, or the disk is
        full.
    SettingsError
        The networks would not fit into the memory of this machine or container.
    """
    training = pipeline.settings.training
    cache = _cache(pipeline)

    def write(folder: Path) -> None:
        schema, preparation, notices = learn(dataset, held_out)
        require_room(folder, dataset, schema, preparation, pipeline)
        write_parts(folder, dataset, held_out, schema, preparation, training.dtype)
        reference = learn_reference(dataset, schema, ~held_out)
        write_learnt(folder, schema, preparation, reference, notices)

    rows = hashlib.sha256(np.packbits(held_out).tobytes()).hexdigest()[:32]
    table = dataset.entry.path.name
    entry = cache.entry(f"{table}-{training.dtype}-{rows}-{_FORMAT}", write)
    schema, preparation, reference, notices = read_learnt(entry.path)
    check_memory(schema, preparation, pipeline)
    tested = int(np.count_nonzero(held_out))
    part = TrainingPart(
        rows=dataset.rows - tested,
        schema=schema,
        preparation=preparation,
        entry=entry,
    )
    # Now, so that the training tasks find them and need not each draw the same.
    candidate_resamples(part, training)
    cache.remove_others("", table, entry.path.name, resamples_name(part, training))
    return Prepared(
        training=part,
        held_out=HeldOutPart(rows=tested, entry=entry),
        reference=reference,
        source_sha256=dataset.source_sha256,
        notices=notices,
        unlabelled=dataset.unlabelled,
    )


def _cache(pipeline: Pipeline) -> Cache:
    return Cache(pipeline.artifacts / "cache")


def _repeated(fingerprints: Array, held_out: Array) -> list[str]:
    """Return a notice if rows of equal content stand on both sides of the split."""
    if not recognise(fingerprints[held_out], fingerprints[~held_out]).any():
        return []
    contents = len(np.unique(fingerprints))
    return [
        f"rows repeat ({contents:,} different among {len(held_out):,}), and equal ones stand on "
        "both sides of the split"
    ]
