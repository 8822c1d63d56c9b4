"""Batches of scored rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.attribution.reasons import Reasons
from ffn.scoring.rows.row_scorer import Labelled
from ffn.scoring.rows.suffixes import UNITS

__all__ = ["Piece", "confidence_units_of"]


class Piece(NamedTuple):
    """One batch of scored rows [n], their predictions, and the rejects of the same range.

    Attributes
    ----------
    batch
        Arrow record batch with the columns that the output keeps.
    labels, probabilities
        Index of the predicted class [n], and class probabilities [n, C].
    confidences, abstained
        Probability of the predicted class [n], and booleans [n]: rows that get no label.
    rejects
        Lines of the rejects file, as UTF-8.
    reasons
        What moved the predictions most; None if that was not asked for.
    """

    batch: Any
    labels: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    abstained: npt.NDArray[np.bool_]
    rejects: bytes
    reasons: Reasons | None = None


def confidence_units_of(found: Labelled) -> int:
    """Return the sum of confidences in units of 1/10,000, each rounded as it is written."""
    return int(np.rint(found.confidences * UNITS).sum())
