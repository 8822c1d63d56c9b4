"""The rows on which a challenger can be compared with production: neither was trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.errors import quote
from ffn.promotion.champion import Opponent
from ffn.tabular.cells import MISSING
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import recognise

__all__ = [
    "Contest",
    "SharedAnswers",
    "SharedRows",
    "accepts",
    "columns_of",
    "find_contest",
    "production_rows",
]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class SharedAnswers:
    """What one model says.

    Attributes
    ----------
    predicted
        Classes [n]; -1 where it names a class that the table does not have any more.
    probabilities
        [n, C], of the table's classes; 0 for one that the model does not know.
    """

    predicted: Array
    probabilities: Array


@dataclass(frozen=True, kw_only=True)
class SharedRows:
    """How many rows a comparison rests on.

    Attributes
    ----------
    held_out
        Rows held out of the challenger's training.
    trained_on
        Of these, rows whose content one of the two was trained on; left out.
    refused
        Of the others, rows that production would not score; left out.
    fit
        What is left: rows on which both can be compared.
    """

    held_out: int
    trained_on: int
    refused: int
    fit: int


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Both models' answers on the rows that neither was trained on.

    Attributes
    ----------
    challenger, production
        Their answers.
    labels, classes
        Integers [n], and what they mean.
    fingerprints
        uint64 [n].
    """

    challenger: SharedAnswers
    production: SharedAnswers
    labels: Array
    classes: tuple[str, ...]
    fingerprints: Array

    def take(self, rows: Array) -> Contest:
        """Return the contest on some of its rows, booleans [n]."""
        return Contest(
            challenger=_take(self.challenger, rows),
            production=_take(self.production, rows),
            labels=self.labels[rows],
            classes=self.classes,
            fingerprints=self.fingerprints[rows],
        )


def columns_of(dataset: Dataset) -> dict[str, str]:
    """Return kind by name of the columns that the rows' fingerprints are made of."""
    numeric = set(dataset.numeric_features)
    return {name: "numeric" if name in numeric else "categorical" for name in sorted(dataset.order)}


def production_rows(dataset: Dataset, challenger: Schema, opponent: Opponent) -> Array | str:
    """Return booleans [N]: rows of content that production was trained on; or why nobody knows.

    A column that came later is left out of the comparison of contents, so rows are recognised
    across it; across a column that went, or changed its kind, they are not.
    """
    production = opponent.bundle.schema
    if production.missing_values != dataset.missing_values:
        return "data.missing_values changed"
    here = columns_of(dataset)
    # Versions from before the gate did not record which constant columns they left out.
    then = opponent.columns or (here if _kinds(challenger) == _kinds(production) else {})
    needed = [*then.items(), *_kinds(production).items()]
    gone = list(dict.fromkeys(name for name, kind in needed if here.get(name) != kind))
    if gone or not then:
        which = ", ".join(map(quote, gone[:5])) or "others than now, which were not recorded"
        return f"columns are gone or changed their kind: {which}"
    fingerprints = dataset.fingerprints
    if then != here:
        fingerprints = dataset.fingerprints_of(then)
    return recognise(fingerprints, opponent.bundle.fingerprints)


def find_contest(
    dataset: Dataset, held_out: Array, known: Array, challenger: Bundle, production: Bundle
) -> tuple[Contest, SharedRows]:
    """Ask both models about the rows held out that neither was trained on.

    Parameters
    ----------
    dataset
        The table.
    held_out, known
        Booleans [N]: rows held out of the challenger's training, and rows that production was
        trained on.
    """
    known = known | recognise(dataset.fingerprints, challenger.fingerprints)
    fresh = held_out & ~known
    accepted = fresh & accepts(dataset, production)
    contest = Contest(
        challenger=_ask(challenger, dataset, accepted),
        production=_ask(production, dataset, accepted),
        labels=dataset.labels[accepted],
        classes=dataset.classes,
        fingerprints=dataset.fingerprints[accepted],
    )
    counts = SharedRows(
        held_out=int(held_out.sum()),
        trained_on=int((held_out & known).sum()),
        refused=int((fresh & ~accepted).sum()),
        fit=int(accepted.sum()),
    )
    return contest, counts


def _kinds(schema: Schema) -> dict[str, str]:
    return {feature.name: feature.kind for feature in schema.features}


def accepts(dataset: Dataset, model: Bundle) -> Array:
    """Return booleans [N]: rows that a model scores.

    They have no gap where it knows none, and no number too far from those it was trained on.
    """
    schema = model.schema
    no_gap = np.array([not feature.missing for feature in schema.numeric], dtype=bool)
    no_hole = np.array([not feature.missing for feature in schema.categorical], dtype=bool)
    accepted = np.empty(dataset.rows, dtype=bool)
    for part, numeric, codes in dataset.pieces(schema):
        gaps, holes = np.isnan(numeric) & no_gap, (codes == MISSING) & no_hole
        refused = gaps | model.preparation.too_large(numeric)
        accepted[part] = ~(refused.any(axis=1) | holes.any(axis=1))
    return accepted


def _ask(bundle: Bundle, dataset: Dataset, rows: Array) -> SharedAnswers:
    """Return a model's answers for some rows, booleans [N], in the table's classes."""
    own = np.concatenate(
        [
            bundle.probabilities(
                bundle.preparation.transform(numeric[rows[part]], codes[rows[part]])
            )
            for part, numeric, codes in dataset.pieces(bundle.schema)
        ]
    )
    place = {name: c for c, name in enumerate(dataset.classes)}
    places = np.array([place.get(name, -1) for name in bundle.schema.classes])
    probabilities = np.zeros((len(own), len(dataset.classes)))
    probabilities[:, places[places >= 0]] = own[:, places >= 0]
    return SharedAnswers(predicted=places[own.argmax(axis=1)], probabilities=probabilities)


def _take(answers: SharedAnswers, rows: Array) -> SharedAnswers:
    return SharedAnswers(
        predicted=answers.predicted[rows], probabilities=answers.probabilities[rows]
    )
