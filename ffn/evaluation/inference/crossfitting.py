"""What to expect of the best candidate of a search, on resamples that did not choose it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.race import best_of

__all__ = ["crossfitted"]

Array = npt.NDArray[Any]


def crossfitted(values: Array, first: int) -> Array:
    """Return what the candidates have on resamples that did not choose them, as far as known.

    For each resample the best candidate is chosen on the other ones, by the rule of `best_of`, and
    its value on this one is taken. A race chose as well: who was dropped is known only from the
    resamples until then, and those who were dropped have no values after it. So the resamples that
    dropped somebody judge nobody. For any later one the candidates that were left are the same as
    if it had not been there.

    Parameters
    ----------
    values
        What is compared [C, K] of the candidates that were left, the lower the better; NaN where a
        network diverged.
    first
        The first resample to judge on: after how many of them one was last dropped from a race, or
        0.

    Returns
    -------
    Array
        A value for each resample from ``first`` on, without those where the network diverged.
    """
    k = values.shape[1]
    chosen = [best_of(np.delete(values, i, axis=1) if k > 1 else values) for i in range(first, k)]
    found = values[chosen, np.arange(first, k)]
    judged: Array = found[np.isfinite(found)]
    return judged
