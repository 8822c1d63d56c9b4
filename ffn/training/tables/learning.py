"""Learn schema and preprocessing from the training part, and refuse what would not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import listed
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import require_space
from ffn.tabular.encodings.date_parts import DatePart
from ffn.tabular.schema import Schema
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import recognise
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.training.memory import check_memory, check_statistics
from ffn.training.partition import row_bytes
from ffn.training.tables.input_sentences import inputs_in_words, pooled_in_words, texts_in_words

__all__ = ["dates_in_words", "learn", "require_room"]

Array = npt.NDArray[Any]

_WORDS = {
    DatePart.ELAPSED: "the time passed",
    DatePart.YEAR: "the year",
    DatePart.YEAR_SINE: "the season",
    DatePart.WEEK_SINE: "the weekday",
    DatePart.DAY_SINE: "the time of day",
}


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
        text_components=features.text_components,
    )
    notices += pooled_in_words(schema, preparation)
    notices += dates_in_words(schema, preparation, dataset.time)
    notices += texts_in_words(schema, preparation)
    return replace(schema, encoder=preparation.texts), preparation, notices


def dates_in_words(schema: Schema, preparation: Preparation, time: str | None) -> list[str]:
    """Return a sentence for each column of dates or times: which of its parts are inputs.

    Parameters
    ----------
    schema, preparation
        Features, and the numbers that are derived of them.
    time
        Header of the column that rows are split by; None if by no time.
    """
    derived = preparation.derived
    found = []
    for f, feature in enumerate(schema.numeric):
        if feature.clock_form is not None:
            found.append(
                f"the inputs of column {quote(feature.name)} are the time since midnight, and its "
                "sine and cosine in a circle of one day"
            )
        if derived is None or feature.date_form is None:
            continue
        own = set(derived.derived_parts[derived.derived_owners == f].tolist())
        parts = listed([word for part, word in _WORDS.items() if part in own])
        without = ""
        if DatePart.ELAPSED not in own:
            why = "within two years it cannot be told from the season"
            if time is not None:
                why = "rows are split by time, so all to score are later"
            without = f", not the time passed: {why}"
        found.append(
            f"the inputs of column {quote(feature.name)} are {parts} of its dates{without}"
        )
    return found


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


def _repeated(fingerprints: Array, division: Division) -> list[str]:
    """Return a notice if rows with equal content are on both sides of the split."""
    if not recognise(fingerprints[division.held_out], fingerprints[division.training]).any():
        return []
    contents = len(np.unique(fingerprints))
    return [
        f"there are duplicate rows ({contents:,} different among {len(fingerprints):,}), some of "
        "them on both sides of the split"
    ]
