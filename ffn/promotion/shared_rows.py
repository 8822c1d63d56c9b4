"""Held-out rows on which challenger and production can be compared: neither was trained on them."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Predictions of one model.

    Attributes
    ----------
    predicted
        Predicted classes [n]; -1 for a class that the table no longer has.
    probabilities
        Probabilities [n, C] of the table's classes; 0 for a class that the model does not know.
    labelled
        Classes by the model's decision rule [n]; None if they are those of ``predicted``, the most
        probable ones.
    """

    predicted: Array
    probabilities: Array
    labelled: Array | None = None

    @property
    def by_rule(self) -> Array:
        """Classes by the model's decision rule [n]."""
        return self.predicted if self.labelled is None else self.labelled


@dataclass(frozen=True, kw_only=True)
class SharedRows:
    """Numbers of rows in a comparison.

    Attributes
    ----------
    held_out
        Rows held out of the challenger's training.
    trained_on
        Those whose content one of the two models was trained on; excluded.
    refused
        Of the others, those that production would reject; excluded.
    fit
        The remaining rows, on which both can be compared.
    related
        Of the others than those trained on, rows of a group that production was trained on, or no
        later than its training rows; excluded.
    groups
        Number of groups that the remaining rows are of; 0 if rows do not come in groups.
    """

    held_out: int
    trained_on: int
    refused: int
    fit: int
    related: int = field(default=0, metadata={"omitted": True})
    groups: int = field(default=0, metadata={"omitted": True})


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Predictions of both models on the n rows that neither was trained on.

    Attributes
    ----------
    challenger, production
        Predictions of each model.
    labels
        True classes, integers [n].
    classes
        Their names [C].
    fingerprints
        Fingerprints of the rows' contents, uint64 [n].
    groups
        Identifiers of the rows' groups [n]; None if rows are independent.
    weights
        Weights of the rows [n]; None if they count alike.
    """

    challenger: SharedAnswers
    production: SharedAnswers
    labels: Array
    classes: tuple[str, ...]
    fingerprints: Array
    groups: Array | None = None
    weights: Array | None = None

    def take(self, rows: Array) -> Contest:
        """Return the contest restricted to ``rows``, booleans [n]."""
        return Contest(
            challenger=_take(self.challenger, rows),
            production=_take(self.production, rows),
            labels=self.labels[rows],
            classes=self.classes,
            fingerprints=self.fingerprints[rows],
            groups=None if self.groups is None else self.groups[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


def columns_of(dataset: Dataset) -> dict[str, str]:
    """Return kind by name of the columns from which a table's fingerprints are computed."""
    numeric = set(dataset.numeric_features)
    return {name: "numeric" if name in numeric else "categorical" for name in sorted(dataset.order)}


def production_rows(dataset: Dataset, challenger: Schema, opponent: Opponent) -> Array | str:
    """Return booleans [N] of the rows that production was trained on; or why that is unknown.

    Rows are recognised by their content. Columns that were added since are ignored, so rows are
    still recognised; if a column was removed or changed its kind, they are not.

    Parameters
    ----------
    dataset
        The training table, N rows.
    challenger
        Schema of the challenger.
    opponent
        The version in production.
    """
    production = opponent.bundle.schema
    if production.missing_values != dataset.missing_values:
        return "data.missing_values changed"
    here = columns_of(dataset)
    # Versions made before the gate existed did not record which constant columns they left out.
    then = opponent.columns or (here if _kinds(challenger) == _kinds(production) else {})
    needed = [*then.items(), *_kinds(production).items()]
    gone = list(dict.fromkeys(name for name, kind in needed if here.get(name) != kind))
    if gone or not then:
        which = ", ".join(map(quote, gone[:5])) or "they were not recorded"
        return f"columns were removed or changed their kind: {which}"
    fingerprints = dataset.fingerprints
    if then != here:
        fingerprints = dataset.fingerprints_of(then)
    return recognise(fingerprints, opponent.bundle.fingerprints)


def find_contest(
    dataset: Dataset,
    held_out: Array,
    known: Array,
    challenger: Bundle,
    production: Bundle,
    *,
    unrelated: Array | None = None,
    groups: Array | None = None,
) -> tuple[Contest, SharedRows]:
    """Predict with both models on the held-out rows that neither was trained on.

    Parameters
    ----------
    dataset
        The training table, N rows.
    held_out
        Booleans [N]: rows held out of the challenger's training.
    known
        Booleans [N]: rows that production was trained on.
    challenger, production
        The two models.
    unrelated
        Booleans [N] of `ffn.promotion.champion.unrelated_rows`; None, the default, if no row is
        related to another.
    groups
        Identifiers of the rows' groups [N]; None, the default: rows are independent.
    """
    known = known | recognise(dataset.fingerprints, challenger.fingerprints)
    fresh = held_out & ~known
    related = 0
    if unrelated is not None:
        related = int((fresh & ~unrelated).sum())
        fresh &= unrelated
    accepted = fresh & accepts(dataset, production)
    weights = dataset.weights
    contest = Contest(
        challenger=_ask(challenger, dataset, accepted),
        production=_ask(production, dataset, accepted),
        labels=dataset.labels[accepted],
        classes=dataset.classes,
        fingerprints=dataset.fingerprints[accepted],
        groups=None if groups is None else groups[accepted],
        weights=None if weights is None else weights[accepted],
    )
    counts = SharedRows(
        held_out=int(held_out.sum()),
        trained_on=int((held_out & known).sum()),
        refused=int((fresh & ~accepted).sum()),
        fit=int(accepted.sum()),
        related=related,
        groups=0 if groups is None else len(np.unique(groups[accepted])),
    )
    return contest, counts


def _kinds(schema: Schema) -> dict[str, str]:
    return {feature.name: feature.fingerprint_kind for feature in schema.features}


def accepts(dataset: Dataset, model: Bundle) -> Array:
    """Return booleans [N] of the rows that a model would score and not reject.

    They have no missing value where training had none, and no number too far from its range.

    Parameters
    ----------
    dataset
        The table, N rows.
    model
        Bundle of the model.
    """
    schema = model.schema
    no_gap = np.array([not feature.missing for feature in schema.numeric], dtype=bool)
    no_text = np.array([not feature.missing for feature in schema.texts], dtype=bool)
    # Each component of a text is missing where the text is.
    no_gap = np.append(no_gap, no_text.repeat(schema.components // max(1, len(no_text))))
    no_hole = np.array([not feature.missing for feature in schema.categorical], dtype=bool)
    accepted = np.empty(dataset.rows, dtype=bool)
    for part, numeric, codes in dataset.pieces(schema):
        gaps, holes = np.isnan(numeric) & no_gap, (codes == MISSING) & no_hole
        refused = gaps.any(axis=1) | model.preparation.too_large(numeric).any(axis=1)
        accepted[part] = ~(refused | holes.any(axis=1))
    return accepted


def _ask(bundle: Bundle, dataset: Dataset, rows: Array) -> SharedAnswers:
    """Return a model's predictions for ``rows``, booleans [N], in terms of the table's classes."""
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
    return SharedAnswers(
        predicted=places[own.argmax(axis=1)],
        probabilities=probabilities,
        labelled=None if bundle.rule.by_probability else places[bundle.rule.labels(own)],
    )


def _take(answers: SharedAnswers, rows: Array) -> SharedAnswers:
    return SharedAnswers(
        predicted=answers.predicted[rows],
        probabilities=answers.probabilities[rows],
        labelled=None if answers.labelled is None else answers.labelled[rows],
    )
