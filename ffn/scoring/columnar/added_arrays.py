"""The columns that scoring adds to a table, as Arrow arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ffn.attribution.reasons import ERROR_COLUMN, NO_REASON, Reasons, reason_columns
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.suffixes import UNITS, added_columns
from ffn.tabular.columns.class_labels import class_labels
from ffn.tabular.schema import set_column

__all__ = ["AddedArrays"]


class AddedArrays:
    """Label, confidence, and what else is added to each row, with types and rounding.

    Labels are integers if every label is one, as in `ffn.scoring.model.Model.classes_`, and label
    sets are lists of labels.

    Parameters
    ----------
    model
        The model, of which schema and rule are used.
    probabilities
        Whether the probability of every class is added, too.
    explain
        Number of reasons to add. Default: none.

    Attributes
    ----------
    fields
        Arrow fields of the columns.
    """

    def __init__(self, model: Scorer, *, probabilities: bool, explain: int = 0) -> None:
        label, *shares = added_columns(model.schema, probabilities=probabilities)
        # int64 if every label is an integer, else texts.
        self._classes = pa.array(class_labels(model.schema.classes))
        self._rule = model.rule
        self._every = probabilities
        self.fields = [pa.field(label, self._classes.type)]
        self.fields += [pa.field(share, pa.float64()) for share in shares]
        if model.rule.set_limits is not None:
            sets = pa.list_(self._classes.type)
            self.fields.append(pa.field(set_column(model.schema.target), sets))
        why = reason_columns(model.schema, explain)
        self._names = pa.array([feature.name for feature in model.schema.features], pa.string())
        self._with_error = ERROR_COLUMN in why
        # Names and values by turns, and then the error.
        self.fields += [
            pa.field(name, pa.string() if i % 2 == 0 and name != ERROR_COLUMN else pa.float64())
            for i, name in enumerate(why)
        ]

    def arrays(
        self,
        labels: npt.NDArray[np.intp],
        probabilities: npt.NDArray[np.float64],
        confidences: npt.NDArray[np.float64],
        abstained: npt.NDArray[np.bool_],
        reasons: Reasons | None = None,
    ) -> list[Any]:
        """Return an Arrow array [n] for each of ``fields``.

        Parameters
        ----------
        labels
            Index of each row's predicted class [n].
        probabilities
            Class probabilities [n, C].
        confidences
            Probability of the predicted class [n].
        abstained
            Booleans [n]: rows that get no label.
        reasons
            Reasons of the rows, as many as ``explain`` asks for. Default: none.
        """
        # Rounded to four decimals, as in a CSV output.
        confidence = np.rint(confidences * UNITS) / UNITS
        added = [confidence]
        if self._every:
            added += list((np.rint(probabilities * UNITS) / UNITS).T)
        # A row without a label has a null.
        columns = [self._classes.take(pa.array(labels, mask=abstained))]
        columns += [pa.array(np.ascontiguousarray(share)) for share in added]
        if self._rule.set_limits is not None:
            columns.append(self._sets(labels, probabilities))
        if reasons is not None:
            columns += self._reasons(reasons)
        return columns

    def _reasons(self, reasons: Reasons) -> list[Any]:
        """Return names and values of the reasons; nulls where a row has fewer."""
        columns = []
        for places, units in zip(reasons.columns.T, reasons.units.T, strict=True):
            none = places == NO_REASON
            columns.append(self._names.take(pa.array(places, mask=none)))
            columns.append(pa.array(units / UNITS, pa.float64(), mask=none))
        return [*columns, pa.array(reasons.error_units / UNITS)] if self._with_error else columns

    def _sets(self, labels: npt.NDArray[np.intp], probabilities: npt.NDArray[np.float64]) -> Any:
        """Return the label sets of rows as a column of lists."""
        members = self._rule.label_sets(probabilities, labels)
        ends = np.concatenate([[0], np.cumsum(members.sum(axis=1))]).astype(np.int32)
        inside = self._classes.take(pa.array(np.nonzero(members)[1]))
        return pa.ListArray.from_arrays(pa.array(ends), inside)
