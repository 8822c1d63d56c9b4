"""The explanation of a table in memory: every value of every row, with what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.attribution.reasons import NO_REASON, top_reasons
from ffn.attribution.shapley_rows import Explainer, ShapleyRows
from ffn.decision_rules.rule import CONFIDENCE_UNITS, DecisionRule
from ffn.quantities import counted
from ffn.tabular.columns.class_labels import class_labels
from ffn.tabular.schema import Schema

__all__ = ["Explanation", "explain_inputs"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What each column added to the probability of each row's label.

    Attributes
    ----------
    columns
        Names of the model's columns [F], in the order of the training table.
    labels
        The label whose probability is explained [n]; that of the decision rule, also where it
        abstains.
    probabilities
        Its probability [n].
    values
        Shapley values [n, F]. A row's values add up to ``probabilities`` less ``base``.
    errors
        Standard errors of the values [n, F]; 0 where they are exact. All rows share the drawn
        orders, so that the errors of similar rows are similar, too.
    exact
        Booleans [n]: rows whose values are exact.
    base
        Probability of the row's label in the reference row [n].
    reference
        Value of each column in the reference row, by name; None for "missing".
    """

    columns: tuple[str, ...]
    labels: Array
    probabilities: Array
    values: Array
    errors: Array
    exact: npt.NDArray[np.bool_]
    base: Array
    reference: dict[str, float | str | None]

    def __len__(self) -> int:
        """Return the number of rows n."""
        return len(self.values)

    def __repr__(self) -> str:
        rows, columns = counted(len(self), "row"), counted(len(self.columns), "column")
        exact = int(np.count_nonzero(self.exact))
        how = "all exact" if exact == len(self) else f"{exact:,} exact"
        return f"<Explanation of {rows} by {columns}, {how}>"

    def reasons(self, count: int = 3) -> list[list[tuple[str, float]]]:
        """Return the columns that moved each row most [n], with their values, the largest first.

        They are those that ``ffn score --explain`` writes, rounded like them.

        Parameters
        ----------
        count
            Largest number for a row. Default: 3, as in a file.

        Raises
        ------
        ValueError
            ``count`` is below 1.
        """
        if count < 1:
            raise ValueError(f"count is {count}; give a number of reasons from 1 up")
        found = top_reasons(ShapleyRows(self.values, self.errors, self.exact), count)
        return [
            [
                (self.columns[place], unit / CONFIDENCE_UNITS)
                for place, unit in zip(places, units, strict=True)
                if place != NO_REASON
            ]
            for places, units in zip(found.columns.tolist(), found.units.tolist(), strict=True)
        ]


def explain_inputs(
    explainer: Explainer, schema: Schema, rule: DecisionRule, x: Array, probabilities: Array
) -> Explanation:
    """Return the explanation of rows.

    Parameters
    ----------
    explainer
        Of the model.
    schema, rule
        Schema and decision rule of the model.
    x
        Inputs [n, n_in], finite.
    probabilities
        Class probabilities [n, C] of these inputs.

    Raises
    ------
    DataError
        A mixture of a row and the reference row is not finite.
    """
    labels = rule.labels(probabilities)
    found = explainer.explain(x, labels)
    classes: Array = class_labels(schema.classes)
    return Explanation(
        columns=tuple(feature.name for feature in schema.features),
        labels=classes[labels],
        probabilities=rule.confidences(probabilities, labels),
        values=found.values,
        errors=found.errors,
        exact=found.exact,
        base=explainer.reference_probabilities[labels],
        reference=explainer.reference.to_json(schema),
    )
