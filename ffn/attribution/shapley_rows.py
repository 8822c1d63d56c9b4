"""Shapley values of the columns of rows: how each moved the probability of the row's label.

The players are the columns of the table, not the inputs that encode them, and a coalition is worth
the probability of the row's label where its columns have the values of the row and all others those
of the reference row. These are the values of Lundberg and Lee 2017, "A unified approach to
interpreting model predictions", with a single reference for the background, which Sundararajan and
Najmi 2020, "The many Shapley values for model explanation", call baseline Shapley.

Of a row only the columns take part whose inputs differ from those of the reference row: the others
add nothing to any coalition, and have the value 0 (the axiom of the dummy player). So a row of many
columns is exact as well if few of them are unusual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ffn.attribution.coalitions import EXACT_UP_TO, SEED, Coalitions, coalitions
from ffn.attribution.reference_row import reference_row
from ffn.errors import DataError
from ffn.nn import Network
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["METHOD", "Explained", "Explainer", "ShapleyRows"]

Array = npt.NDArray[Any]

METHOD = "Shapley values of the probability of the predicted class, against one reference row"
"""What the values are, for a manifest."""

# From so many multiplications a row on, the first layer is condensed: it takes some hundred
# microseconds, for which a few coalitions of a small network are asked as they are.
_CONDENSED_FROM = 2**21
# Inputs of so many values are made up at once: 8 MB.
_VALUES_AT_ONCE = 2**20


class Explained(Protocol):
    """A model as its explanation needs it; ``Bundle`` is one."""

    @property
    def schema(self) -> Schema:
        """Columns, categories and classes of the training table."""
        ...

    @property
    def preparation(self) -> Any:
        """The ``Preparation`` of typed columns to inputs."""
        ...

    @property
    def reference(self) -> Reference | None:
        """Histograms of the training rows; None if unknown."""
        ...

    def probabilities(self, x: Array, /) -> Array:
        """Return class probabilities [n, C] of the inputs ``x`` [n, n_in]."""
        ...


class ShapleyRows(NamedTuple):
    """Shapley values of n rows, in the order of ``schema.features``.

    Attributes
    ----------
    values
        Float64 [n, F]: they add up to the probability of the row's label less that of the
        reference row.
    errors
        Standard errors [n, F]; 0 where values are exact.
    exact
        Booleans [n]: rows of which all coalitions were asked.
    """

    values: Array
    errors: Array
    exact: npt.NDArray[np.bool_]


class Explainer:
    """Explains the answers of one model.

    Parameters
    ----------
    model
        The model.

    Attributes
    ----------
    reference
        The reference row.
    reference_probabilities
        Its class probabilities, float64 [C].

    Raises
    ------
    BundleError
        The model does not know its reference row.
    """

    def __init__(self, model: Explained) -> None:
        schema, preparation = model.schema, model.preparation
        self.reference = reference_row(schema, preparation, model.reference)
        self._ask = model.probabilities
        network = getattr(model, "network", None)
        self._network = None
        if isinstance(network, Network):
            self._network = Network(network.widths, network.parameters.astype(np.float64))
        self._x = preparation.transform(
            self.reference.numeric[np.newaxis], self.reference.codes[np.newaxis]
        )[0]
        self.reference_probabilities: Array = self._ask(self._x[np.newaxis])[0]
        names = [own.name for own in (*schema.numeric, *schema.categorical, *schema.texts)]
        places = dict(zip(names, preparation.inputs_of_features(), strict=True))
        self._inputs = [places[feature.name] for feature in schema.features]

    def to_json(self, schema: Schema) -> dict[str, Any]:
        """Return what the values are, and what they are compared with, for a manifest.

        Parameters
        ----------
        schema
            Schema of the model.
        """
        shares = np.round(self.reference_probabilities, 6).tolist()
        return {
            "method": METHOD,
            "exact_up_to_columns": EXACT_UP_TO,
            "seed": SEED,
            "reference": self.reference.to_json(schema),
            "reference_probabilities": dict(zip(schema.classes, shares, strict=True)),
        }

    def unlike_the_reference(self, count: int) -> Array:
        """Return inputs [count, n_in] of which every column differs from the reference row.

        They are no rows of a table, and serve to see how long rows take.

        Parameters
        ----------
        count
            Number of rows.
        """
        return np.repeat(self._x[np.newaxis] + np.float32(1), count, axis=0)

    def explain(self, x: Array, labels: npt.NDArray[np.intp]) -> ShapleyRows:
        """Return the Shapley values of rows; those of a row do not depend on the others.

        Parameters
        ----------
        x
            Inputs [n, n_in], finite.
        labels
            Index of the class [n] whose probability is explained.

        Raises
        ------
        DataError
            A mixture of a finite row and the reference row is not finite.
        """
        n, players = len(x), len(self._inputs)
        values, errors = np.zeros((2, n, players))
        exact = np.ones(n, dtype=bool)
        differs = x != self._x
        takes_part = np.stack([differs[:, own].any(axis=1) for own in self._inputs], axis=1)
        for rows in _alike(takes_part):
            present = np.flatnonzero(takes_part[rows[0]])
            if not len(present):
                continue
            asked = coalitions(len(present))
            exact[rows] = asked.exact
            network = self._network
            if network is not None and self._saved(network, asked) >= _CONDENSED_FROM:
                groups = [self._inputs[column] for column in present.tolist()]
                for row in rows:
                    worths = self._condensed(network, x[row], int(labels[row]), asked, groups)
                    found, own_errors = asked.values(_finite(worths)[np.newaxis])
                    values[row, present], errors[row, present] = found[0], own_errors[0]
                continue
            for some in self._in_parts(rows, len(asked.members)):
                worths = self._worths(x[some], labels[some], asked, present)
                found, own_errors = asked.values(_finite(worths))
                values[np.ix_(some, present)] = found
                errors[np.ix_(some, present)] = own_errors
        return ShapleyRows(values, errors, exact)

    def _worths(
        self, x: Array, labels: npt.NDArray[np.intp], asked: Coalitions, present: Array
    ) -> Array:
        """Return what each coalition [T] of the columns ``present`` is worth to each row [n, T]."""
        count = len(asked.members)
        from_row = np.zeros((count, x.shape[1]), dtype=bool)
        for player, column in enumerate(present.tolist()):
            from_row[:, self._inputs[column]] = asked.members[:, player, np.newaxis]
        mixed = np.where(from_row, x[:, np.newaxis], self._x)
        answers = self._ask(mixed.reshape(-1, x.shape[1]))
        own: Array = answers[np.arange(len(answers)), np.repeat(labels, count)]
        return own.reshape(len(x), count)

    def _saved(self, network: Network, asked: Coalitions) -> int:
        """Return how many multiplications of the first layer a row is spared."""
        count, players = asked.members.shape
        units = network.layers[0].shape[-2] * len(network.parameters)
        return int(count * (len(self._x) - players) * units)

    def _condensed(
        self,
        network: Network,
        row: Array,
        label: int,
        asked: Coalitions,
        groups: Sequence[Sequence[int]],
    ) -> Array:
        """Return what each coalition [T] is worth to one row, [T]."""
        with np.errstate(over="ignore", invalid="ignore"):
            condensed = network.condensed(row.astype(np.float64), self._x, groups)
            answers = condensed.predict_proba(asked.members).mean(axis=0)
        own: Array = answers[:, label]
        return own

    def _in_parts(self, rows: Array, count: int) -> list[Array]:
        """Return row numbers in parts of which all coalitions fit into memory at once."""
        at_once = max(1, _VALUES_AT_ONCE // (count * len(self._x)))
        return [rows[first : first + at_once] for first in range(0, len(rows), at_once)]


def _finite(worths: Array) -> Array:
    if not np.isfinite(worths).all():
        raise DataError(
            "a row cannot be explained: mixed with the reference row, its numbers are too large "
            "for the model. Correct them, or score without reasons."
        )
    return worths


def _alike(takes_part: npt.NDArray[np.bool_]) -> list[Array]:
    """Return the numbers of the rows, together where the same columns take part."""
    if not len(takes_part):
        return []
    packed = np.packbits(takes_part, axis=1)
    _, kind = np.unique(packed, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    order = np.argsort(kind, kind="stable")
    ends = np.flatnonzero(np.diff(kind[order])) + 1
    return np.split(order, ends)
