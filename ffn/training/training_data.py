"""Normalise the training table: its columns as inputs, apart for training and for held-out rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.leakage.findings import Leak
from ffn.quantities import counted
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.pipeline import Pipeline
from ffn.storage.documents import canonical_json
from ffn.tabular.schema import Schema
from ffn.tabular.splitting.division import Division
from ffn.tabular.splitting.split_figures import SplitFigures, figures_of
from ffn.tabular.training_table.dataset import Dataset, TablePart
from ffn.tabular.training_table.histograms import Reference, learn_reference
from ffn.tabular.training_table.preprocessing import (
    Preparation,
)
from ffn.tabular.weighting.effective_rows import weighing_sentence
from ffn.training.memory import check_memory
from ffn.training.partition import (
    HeldOutPart,
    TrainingPart,
    read_learnt,
    write_learnt,
    write_parts,
)
from ffn.training.resampling import candidate_resamples, resamples_name
from ffn.training.table_change import TableChange
from ffn.training.tables.learning import learn, require_room
from ffn.training.tables.loading import training_cache

__all__ = ["Prepared", "finished_prefix", "normalise", "training_part"]

Array = npt.NDArray[Any]

# Version of the files that `normalise` keeps in the cache.
_FORMAT = 4
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
    training_cache(pipeline).remove_others(finished_prefix(dataset.entry.path), *names)
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
            schema.without_encoder(),
            division.training,
            pipeline.settings.split.time_format,
            pipeline.settings.data.decimal,
        )
        write_learnt(folder, schema, preparation, reference, notices)

    # Entries of releases that kept no seasons are made again.
    rows = division.digest() + ("-seasons" if dataset.time else "")
    name = f"{dataset.entry.path.name}-{training.dtype}-{rows}-{_FORMAT}{_suffix(features)}"
    entry = training_cache(pipeline).entry(name, write)
    schema, preparation, _, _ = read_learnt(entry.path)
    check_memory(schema, preparation, pipeline)
    return TrainingPart(
        rows=int(np.count_nonzero(division.training)),
        schema=schema,
        preparation=preparation,
        entry=entry,
        embargo=division.embargo,
    )


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
