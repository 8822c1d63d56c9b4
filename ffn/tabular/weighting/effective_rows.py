"""How many rows of equal weight would say as much as rows of unequal weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted

__all__ = ["effective_rows", "weighing_sentence"]

Array = npt.NDArray[Any]


def effective_rows(weights: Array) -> float:
    """Return ``(sum w)² / sum w²``, from 1 to n: Kish 1965, "Survey Sampling", section 11.7.

    A weighted mean of independent values of one variance has the variance of a plain mean of so
    many.

    Parameters
    ----------
    weights
        Weights [n], n > 0, above 0.
    """
    # Scaled first, so that squares of large weights do not overflow.
    scaled = np.asarray(weights, dtype=float) / np.max(weights)
    return float(scaled.sum() ** 2 / np.square(scaled).sum())


def weighing_sentence(
    column: str, training: Array | None, held_out: Array | None, weightless: int
) -> str:
    """Return how rows are weighted, without a full stop.

    Parameters
    ----------
    column
        Header of the column of weights.
    training, held_out
        Weights of the two parts; None for a part without rows.
    weightless
        Number of rows of weight 0.
    """
    parts = [
        f"{counted(len(own), f'{what} row')} as many as {effective_rows(own):,.1f} of equal weight"
        for what, own in (("training", training), ("held-out", held_out))
        if own is not None and len(own)
    ]
    left_out = f"; {counted(weightless, 'row')} of weight 0 left out" if weightless else ""
    return (
        f"rows are weighted by {quote(column)}, in training and in every figure: "
        f"{', '.join(parts)}{left_out}"
    )
