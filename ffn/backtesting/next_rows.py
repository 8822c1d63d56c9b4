"""What a model says of rows that came later, scored as files are scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.backtesting.known_rows import KnownRows
from ffn.bundles.bundle import Bundle
from ffn.scoring.own_options import own_options
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.settings.pipeline import Pipeline
from ffn.tabular.csv.reader import Records

__all__ = ["NextAnswers", "ask_next"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class NextAnswers:
    """A model's answers for n rows.

    Attributes
    ----------
    truth
        Probability of the label [n]; NaN for a row without an answer.
    right
        Booleans [n]: rows that get their label.
    rejected
        Booleans [n]: rows that scoring rejects.
    unknown
        Booleans [n]: rows of a class that the model does not know.
    """

    truth: Array
    right: Array
    rejected: Array
    unknown: Array


def ask_next(bundle: Bundle, history: KnownRows, rows: Array, pipeline: Pipeline) -> NextAnswers:
    """Score rows of the table as a file of them would be scored.

    Parameters
    ----------
    bundle
        The model.
    history
        The table.
    rows
        Row numbers [n].
    pipeline
        Settings of scoring.

    Raises
    ------
    DataError
        The model needs a column that the table does not have.
    """
    n, name = len(rows), pipeline.settings.data.source
    # The records are in UTF-8.
    chosen = own_options(pipeline) | {"encoding": None, "drift": "off", "explain": 0}
    place = {label: c for c, label in enumerate(bundle.schema.classes)}
    known = np.array([place.get(label, -1) for label in history.classes], dtype=np.int64)
    own = known[history.labels[rows]]
    truth, right, rejected = np.full(n, np.nan), np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    records = Records(history.open(rows), name, delimiter=pipeline.settings.data.delimiter)
    scorer = RowScorer(bundle, records.header, Options(**chosen), name)
    for block in records:
        found = scorer.label(block)
        places = np.asarray(found.good.rows) - 1
        label = own[places]
        truth[places] = np.where(
            label >= 0, found.probabilities[np.arange(len(label)), label], np.nan
        )
        right[places] = found.labels == label
        rejected[places] = False
    return NextAnswers(truth=truth, right=right, rejected=rejected, unknown=own < 0)
