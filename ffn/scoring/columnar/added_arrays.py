"""The columns that scoring adds to a table, as Arrow arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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

    Attributes
    ----------
    fields
        Arrow fields of the columns.
    """

    def __init__(self, model: Scorer, *, probabilities: bool) -> None:
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

    def arrays(
        self,
        labels: npt.NDArray[np.intp],
        probabilities: npt.NDArray[np.float64],
        confidences: npt.NDArray[np.float64],
        abstained: npt.NDArray[np.bool_],
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
        return columns

    def _sets(self, labels: npt.NDArray[np.intp], probabilities: npt.NDArray[np.float64]) -> Any:
        """Return the label sets of rows as a column of lists."""
        members = self._rule.label_sets(probabilities, labels)
        ends = np.concatenate([[0], np.cumsum(members.sum(axis=1))]).astype(np.int32)
        inside = self._classes.take(pa.array(np.nonzero(members)[1]))
        return pa.ListArray.from_arrays(pa.array(ends), inside)
