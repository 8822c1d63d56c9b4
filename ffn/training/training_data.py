"""Load, split and normalise the training table: the first steps of a retraining."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import SettingsError, quote
from ffn.extraction.extracted_table import (
    ExtractedTable,
    dialect_of,
    extract_files,
    extract_training_table,
    named_as_declared,
)
from ffn.leakage.findings import Leak
from ffn.quantities import counted
from ffn.settings.data_settings import DEFAULT_EXCLUDE
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache, require_space
from ffn.storage.documents import canonical_json
from ffn.storage.real_path import real_path
from ffn.storage.source import refuse_pipe
from ffn.tabular.schema import Schema, prediction_columns, set_column
from ffn.tabular.splitting.by_content import sampling_units
from ffn.tabular.splitting.calibration_rows import with_calibration
from ffn.tabular.splitting.division import Division, divide
from ffn.tabular.splitting.split_figures import SplitFigures, figures_of
from ffn.tabular.training_table.class_sizes import check_class_sizes
from ffn.tabular.training_table.dataset import Dataset, TablePart
from ffn.tabular.training_table.fingerprints import recognise
from ffn.tabular.training_table.histograms import Reference, learn_reference
from ffn.tabular.training_table.ingest import Choice, read_dataset
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import (
    Preparation,
    inputs_in_words,
    pooled_in_words,
)
from ffn.tabular.training_table.split_checks import check_division, check_split_columns
from ffn.tabular.weighting.effective_rows import weighing_sentence
from ffn.training.memory import check_memory, check_statistics
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

__all__ = [
    "Prepared",
    "finished_prefix",
    "learn",
    "load",
    "normalise",
    "require_room",
    "split",
    "training_part",
]

Array = npt.NDArray[Any]

# Version of the files that `normalise` keeps in the cache.
_FORMAT = 3
_UNUSED_WEIGHT = (
    'training.class_weight = "balanced" weights the classes while the networks learn; their '
    "probabilities are those at the true shares, and the label is still the most probable class. "
    "To label more rows as rare classes, set thresholds or costs in [decision]"
)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Inputs for the network: the training part, and the held-out rows.

    Attributes
    ----------
    training, held_out
        The two parts; training tasks receive only the first.
    reference
        Histograms of the training part.
    source_sha256
        SHA-256 of the training CSV.
    notices
        Sentences for the user.
    changes
        Changes since the table of the version in production; empty before they are determined.
    unlabelled
        Number of rows without a label, which are in neither part.
    leaks
        What would make the held-out figures too good; empty before it is looked for.
    split
        How rows were split by time, by group or into files; None if by content.
    test_sha256
        SHA-256 of the file of held-out rows; None if there is none.
    weightless
        Number of rows of weight 0, which are in neither part either.
    parts, test_parts
        The files of which both were made; none where each is a CSV file.
    calibration
        Number of rows that calibrate label sets, which are in neither part.
    """

    training: TrainingPart
    held_out: HeldOutPart
    reference: Reference
    source_sha256: str
    notices: tuple[str, ...]
    changes: tuple[TableChange, ...] = ()
    unlabelled: int = 0
    leaks: tuple[Leak, ...] = ()
    split: SplitFigures | None = None
    test_sha256: str | None = None
    weightless: int = 0
    parts: tuple[TablePart, ...] = ()
    test_parts: tuple[TablePart, ...] = ()
    calibration: int = 0

    @property
    def labelled(self) -> int:
        """Number of rows with a label: to train on, held out, and in neither part."""
        # The figures of a split count rows for calibration as well.
        neither = self.split.neither if self.split else self.calibration
        return self.training.rows + self.held_out.rows + neither

    @property
    def schema(self) -> Schema:
        """Schema (features, kinds, categories, classes), learnt from the training part."""
        return self.training.schema

    @property
    def preparation(self) -> Preparation:
        """Preprocessing of typed columns to inputs, learnt from the training part."""
        return self.training.preparation

    @property
    def x_train(self) -> Array:
        """Inputs of the training part [n, n_in]."""
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
        """Inputs of the held-out rows [m, n_in]."""
        return self.held_out.x

    @property
    def labels_test(self) -> Array:
        """Their classes [m]."""
        return self.held_out.labels


def load(pipeline: Pipeline) -> Dataset:
    """Read and check the training table, or take it from the cache.

    Parameters
    ----------
    pipeline
        Names the table, and has the settings under ``[data]``.

    Raises
    ------
    DataError
        The table cannot be read or cannot be learnt from, or the disk is full.
    SettingsError
        The settings name a column that does not exist.
    """
    data, division = pipeline.settings.data, pipeline.settings.split
    test = _test_file(pipeline)
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
        time=division.time,
        group=division.group,
        time_format=division.time_format,
        weight=data.weight,
    )
    cache, dialect = _cache(pipeline), dialect_of(data)
    table = extract_training_table(pipeline, cache)
    held_out = extract_files(test, cache, dialect) if test else None
    if held_out:
        _check_apart(table, held_out)
    with named_as_declared([table, held_out]):
        dataset = read_dataset(table.path, cache, choice, held_out.path if held_out else None)
    dataset = _as_declared(dataset, table, held_out, pipeline)
    sets = pipeline.settings.decision.label_sets is not None
    added = (*prediction_columns(data.target), *([set_column(data.target)] if sets else []))
    for name in set(added).intersection([data.target, *dataset.order]):
        what = "target" if name == data.target else "feature"
        raise SettingsError(
            f"{dataset.file} has a {what} column {quote(name)}, which is the name of a column that "
            "scoring adds. Rename the column."
        )
    return dataset


def _as_declared(
    dataset: Dataset, table: ExtractedTable, held_out: ExtractedTable | None, pipeline: Pipeline
) -> Dataset:
    """Name in a dataset what the settings name, where its CSV files were made of that."""
    changed: dict[str, Any] = {}
    if table.entry is not None:
        data = pipeline.settings.data
        file = data.source if data.query is None else table.declared
        changed = {"file": file, "parts": table.parts}
    if held_out is not None and held_out.entry is not None:
        changed |= {"test_file": pipeline.settings.split.test, "test_parts": held_out.parts}
    entries = (one.entry for one in (table, held_out) if one is not None)
    held = tuple(entry for entry in entries if entry is not None)
    return replace(dataset, **changed, held=held) if changed else dataset


def _check_apart(table: ExtractedTable, held_out: ExtractedTable) -> None:
    """Refuse held-out files that are among those to train on."""
    taken = {real_path(file) for file in table.files}
    for file in held_out.files:
        if real_path(file) in taken:
            raise SettingsError(
                f"split.test takes {file}, which data.source takes, too: its rows would be trained "
                "on. Put held-out rows into files of their own."
            )


def _test_file(pipeline: Pipeline) -> Path | None:
    """Return the file of held-out rows; None if there is none."""
    test = pipeline.test
    if test is None:
        return None
    refuse_pipe(test)
    real = real_path(test)
    if not real.is_relative_to(real_path(pipeline.folder)):
        raise SettingsError(
            f"split.test: {test} is a link out of {pipeline.folder}. Put the file there."
        )
    if real == real_path(pipeline.source):
        raise SettingsError(
            f"split.test names {quote(test.name)}, the file that data.source names: its rows would "
            "be trained on. Name a file of other rows."
        )
    return test


def split(dataset: Dataset, pipeline: Pipeline) -> Division:
    """Return which rows are trained on and which are held out for the final evaluation.

    Parameters
    ----------
    dataset
        The training table, N rows.
    pipeline
        Settings with ``[split]``, ``training.test_share`` and ``training.seed``.

    Raises
    ------
    DataError
        There is only one class, or a class has too few rows, or none to train on; or rows cannot be
        divided by time or group.
    SettingsError
        The embargo does not fit to the times.
    """
    training, settings = pipeline.settings.training, pipeline.settings.split
    where = f"{dataset.file}, column {quote(dataset.target)}"
    labels = dataset.labels
    units = sampling_units(labels, dataset.fingerprints)
    check_class_sizes(labels, units, dataset.classes, where)
    check_split_columns(dataset, settings.embargo)
    found = divide(
        labels,
        dataset.fingerprints,
        share=training.test_share,
        seed=training.seed,
        groups=dataset.group_ids,
        times=dataset.times,
        embargo=settings.gap(),
        given=dataset.given,
    )
    decision = pipeline.settings.decision
    if decision.label_sets is not None:
        if dataset.times is not None and not decision.exchangeable:
            raise SettingsError(
                "decision.label_sets promises its coverage for rows like those that it is "
                "calibrated on, and split.time says that rows change over time. Leave it out, or "
                "set decision.exchangeable = true if later rows are like earlier ones."
            )
        found = with_calibration(found, labels, dataset.fingerprints, training.seed)
    check_division(dataset, found)
    return found


def learn(
    dataset: Dataset, division: Division, features: FeatureSettings
) -> tuple[Schema, Preparation, list[str]]:
    """Learn schema and preprocessing from the training part alone, without writing anything.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        The two sides of its rows.
    features
        How columns become inputs.

    Returns
    -------
    schema, preparation
        Features and classes, and the preprocessing of columns to inputs.
    notices
        Sentences for the user.

    Raises
    ------
    DataError
        Nothing can be learnt from the training part.
    SettingsError
        Class statistics would not fit into memory.
    """
    schema, notices = dataset.learn_schema(division.training)
    notices = [*dataset.notices, *notices, *_repeated(dataset.fingerprints, division)]
    check_statistics(schema, features.most_categories, dataset.file)
    preparation = fit_preparation(
        dataset,
        schema,
        division.training,
        bins=features.bins if features.numbers == "piecewise" else None,
        most_categories=features.most_categories,
    )
    return schema, preparation, [*notices, *pooled_in_words(schema, preparation)]


def require_room(
    folder: Path, dataset: Dataset, schema: Schema, preparation: Preparation, pipeline: Pipeline
) -> None:
    """Refuse inputs that do not fit into memory or on the disk.

    Parameters
    ----------
    folder
        A folder on the disk that will hold the inputs.
    dataset
        The training table.
    schema, preparation
        Schema and preprocessing, from which the number of inputs follows.
    pipeline
        Settings of network and training.

    Raises
    ------
    DataError
        The disk has too little space; the column with most categories is named.
    SettingsError
        The networks need more memory than is available.
    """
    check_memory(schema, preparation, pipeline)
    needed = dataset.rows * row_bytes(preparation, pipeline.settings.training.dtype)
    inputs = inputs_in_words(schema, preparation)
    require_space(folder, needed, f"the training table as {inputs}")


def normalise(dataset: Dataset, division: Division, pipeline: Pipeline) -> Prepared:
    """Transform columns to inputs, with statistics from the training part alone.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        The two sides of its rows.
    pipeline
        Settings and folders.

    Raises
    ------
    DataError
        Nothing can be learnt from the training part, a number is too far from its range, or the
        disk is full.
    SettingsError
        The networks would not fit into the memory of this machine or container.
    """
    training = pipeline.settings.training
    part = training_part(dataset, division, pipeline)
    _, _, reference, notices = read_learnt(part.entry.path)
    # Drawn now, so that the training tasks find the resamples in the cache.
    candidate_resamples(part, training)
    names = (dataset.entry.path.name, part.entry.path.name, resamples_name(part, training))
    _cache(pipeline).remove_others(finished_prefix(dataset.entry.path), *names)
    figures = None
    if dataset.time or dataset.group or dataset.test_file:
        figures = figures_of(
            division,
            time=dataset.time,
            group=dataset.group,
            test=dataset.test_file,
            kind=dataset.time_kind,
        )
        told = [figures.sentence(), *_untested(dataset, division)]
        if dataset.time and training.ensemble in ("resamples", "distilled"):
            which = (
                'training.ensemble = "resamples" is read as "refitted"'
                if training.ensemble == "resamples"
                else 'training.ensemble = "distilled" distils refitted networks'
            )
            told.append(
                f"{which}: under split.time the networks of the resamples never saw the newest rows"
            )
        notices = (*told, *notices)
    held_out = HeldOutPart(rows=int(np.count_nonzero(division.held_out)), entry=part.entry)
    if dataset.weight is not None:
        notices = (
            weighing_sentence(dataset.weight, part.weights, held_out.weights, dataset.weightless),
            *notices,
        )
    decision = pipeline.settings.decision
    if division.calibration is not None:
        aside = counted(int(np.count_nonzero(division.calibration)), "row")
        notices = (*notices, f"{aside} calibrate label sets, and nothing is trained on them")
    if training.class_weight != "none" and not (decision.costs or decision.thresholds):
        notices = (*notices, _UNUSED_WEIGHT)
    return Prepared(
        training=part,
        held_out=held_out,
        reference=reference,
        source_sha256=dataset.source_sha256,
        notices=notices,
        unlabelled=dataset.unlabelled,
        split=figures,
        test_sha256=dataset.test_sha256,
        weightless=dataset.weightless,
        parts=dataset.parts,
        test_parts=dataset.test_parts,
        calibration=0
        if division.calibration is None
        else int(np.count_nonzero(division.calibration)),
    )


def finished_prefix(entry: Path) -> str:
    """Return how the cache's names of finished candidates begin.

    Parameters
    ----------
    entry
        Cache entry of their table, or of a part of it.
    """
    return f"{entry.name.partition('-')[0]}-candidate-"


def training_part(dataset: Dataset, division: Division, pipeline: Pipeline) -> TrainingPart:
    """Return the training part as inputs, made now or found in the cache; nothing is removed there.

    The parameters ``dataset``, ``division`` and ``pipeline`` are those of `normalise`, and so are
    the errors.
    """
    training, features = pipeline.settings.training, pipeline.settings.features

    def write(folder: Path) -> None:
        schema, preparation, notices = learn(dataset, division, features)
        require_room(folder, dataset, schema, preparation, pipeline)
        write_parts(folder, dataset, division, schema, preparation, training.dtype)
        reference = learn_reference(
            dataset,
            schema,
            division.training,
            pipeline.settings.split.time_format,
            pipeline.settings.data.decimal,
        )
        write_learnt(folder, schema, preparation, reference, notices)

    # Entries of releases that kept no seasons are made again.
    rows = division.digest() + ("-seasons" if dataset.time else "")
    name = f"{dataset.entry.path.name}-{training.dtype}-{rows}-{_FORMAT}{_suffix(features)}"
    entry = _cache(pipeline).entry(name, write)
    schema, preparation, _, _ = read_learnt(entry.path)
    check_memory(schema, preparation, pipeline)
    return TrainingPart(
        rows=int(np.count_nonzero(division.training)),
        schema=schema,
        preparation=preparation,
        entry=entry,
        embargo=division.embargo,
    )


def _cache(pipeline: Pipeline) -> Cache:
    return Cache(pipeline.artifacts / "cache")


def _suffix(features: FeatureSettings) -> str:
    """Return the part of an entry's name that tells encodings apart; empty for the default."""
    if features == FeatureSettings():
        return ""
    return f"-{hashlib.sha256(canonical_json(features.model_dump())).hexdigest()[:16]}"


def _untested(dataset: Dataset, division: Division) -> list[str]:
    """Return a notice if the held-out rows lack classes, so that their recall is not measured."""
    rows = np.bincount(dataset.labels[division.held_out], minlength=len(dataset.classes))
    lacking = [quote(dataset.classes[c]) for c in np.flatnonzero(rows == 0)]
    if not lacking:
        return []
    which = ", ".join(lacking[:5])
    return [f"no held-out row has the class {which}, so its recall is not measured"]


def _repeated(fingerprints: Array, division: Division) -> list[str]:
    """Return a notice if rows with equal content are on both sides of the split."""
    if not recognise(fingerprints[division.held_out], fingerprints[division.training]).any():
        return []
    contents = len(np.unique(fingerprints))
    return [
        f"there are duplicate rows ({contents:,} different among {len(fingerprints):,}), some of "
        "them on both sides of the split"
    ]
