"""Counts of predictions: rows by class, abstentions, and the sum of confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.attribution.reasons import Reasons
from ffn.scoring.rows.suffixes import UNITS

__all__ = ["PredictionCounts"]


class PredictionCounts:
    """Sums of integers over the predictions for a file's rows.

    Parameters
    ----------
    n_classes
        Number of classes C of the model.
    """

    def __init__(self, n_classes: int) -> None:
        self._per_class = np.zeros(n_classes, dtype=np.int64)
        self._abstained = np.zeros(n_classes, dtype=np.int64)
        self._confidence_units = 0
        # Of rows with reasons: exact ones, others, and the largest error in units of 1/10,000.
        self._explained: list[int] | None = None

    @property
    def most_likely(self) -> list[int]:
        """Scored rows by the class that the rule prefers, abstentions included, [C]."""
        counts: list[int] = self._per_class.tolist()
        return counts

    @property
    def labelled(self) -> list[int]:
        """Rows by the label that they got, [C]."""
        counts: list[int] = (self._per_class - self._abstained).tolist()
        return counts

    @property
    def abstained(self) -> int:
        """Scored rows whose label was left empty, because their confidence was too low."""
        return int(self._abstained.sum())

    @property
    def mean_confidence(self) -> float | None:
        """Mean of the confidences as written; None if no row was scored."""
        scored = int(self._per_class.sum())
        return round(self._confidence_units / (UNITS * scored), 6) if scored else None

    @property
    def explained(self) -> dict[str, Any]:
        """How the reasons of the scored rows were found; empty if none were asked for."""
        if self._explained is None:
            return {}
        exact, drawn, largest = self._explained
        return {
            "exact_rows": exact,
            "estimated_rows": drawn,
            "largest_standard_error": largest / UNITS,
        }

    def count_reasons(self, reasons: Reasons) -> None:
        """Count rows by how their ``reasons`` were found."""
        exact = int(np.count_nonzero(reasons.exact))
        largest = int(reasons.error_units.max(initial=0))
        self._add_explained([exact, len(reasons.exact) - exact, largest])

    def _add_explained(self, counts: Sequence[int]) -> None:
        exact, drawn, largest = self._explained or (0, 0, 0)
        self._explained = [exact + counts[0], drawn + counts[1], max(largest, counts[2])]

    def count(
        self,
        labels: npt.NDArray[np.intp],
        abstained: npt.NDArray[np.bool_],
        confidence_units: int,
    ) -> None:
        """Count scored rows.

        Parameters
        ----------
        labels
            Index of the class that the rule prefers [n].
        abstained
            Booleans [n]: rows whose label was left empty.
        confidence_units
            Sum of the confidences as written, in units of 1/10,000.
        """
        self._per_class += np.bincount(labels, minlength=len(self._per_class))
        if abstained.any():
            self._abstained += np.bincount(labels[abstained], minlength=len(self._per_class))
        self._confidence_units += confidence_units

    def state(self) -> dict[str, Any]:
        """Return all counts as a JSON object, for ``add``."""
        return {
            "per_class": self._per_class.tolist(),
            "abstained": self._abstained.tolist(),
            "confidence_units": self._confidence_units,
            **({} if self._explained is None else {"explained": self._explained}),
        }

    def add(self, state: Mapping[str, Any]) -> None:
        """Add the counts of other rows of the file, given as their ``state``."""
        self._per_class += np.array(state["per_class"], dtype=np.int64)
        # Absent from what a run of an earlier version left behind.
        self._abstained += np.array(state.get("abstained", 0), dtype=np.int64)
        self._confidence_units += state["confidence_units"]
        if "explained" in state:
            self._add_explained(state["explained"])
