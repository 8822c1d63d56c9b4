"""Probabilities from which on a class is in a row's label set, by split conformal prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SET_SEPARATOR", "set_limits"]

Array = npt.NDArray[Any]

SET_SEPARATOR = "|"
"""Stands between the labels of a set where it is written as a text."""


def set_limits(
    probabilities: Array, labels: Array, coverage: float, groups: Array | None = None
) -> tuple[float, ...]:
    """Return the least probability [C] with which each class is in a label set.

    Split conformal prediction with the score ``1 - p_c`` (Vovk, Gammerman and Shafer 2005,
    "Algorithmic Learning in a Random World"; Sadinle, Lei and Wasserman 2019, "Least ambiguous
    set-valued classifiers with bounded error levels"), for each class by itself (Vovk 2012,
    "Conditional validity of inductive conformal predictors"). Of m calibration rows of a class the
    limit is the k-th lowest probability of it, with k = floor((m + 1)(1 - coverage)). If a new row
    of the class and these m are exchangeable, its class is in its set with a probability of at
    least ``coverage``, whatever the model and the distribution. With fewer than k = 1 the limit is
    0: the class is in every set.

    Parameters
    ----------
    probabilities
        Of the calibration rows, [n, C]: rows that neither trained the model nor chose anything.
    labels
        True classes, integers [n].
    coverage
        Between 0 and 1.
    groups
        Identifiers of the rows' groups [n]. The first row of each class in each group is used, in
        the order given, since the rows of a group are not exchangeable with a row of another one
        (Dunn, Wasserman and Ramdas 2023, "Distribution-free prediction sets for two-layer
        hierarchical models"). None, the default: rows are independent.
    """
    limits = []
    for label in range(probabilities.shape[1]):
        own = np.flatnonzero(labels == label)
        if groups is not None:
            own = own[np.unique(groups[own], return_index=True)[1]]
        # What rounding takes away from a whole number is given back.
        k = math.floor((len(own) + 1) * (1 - coverage) + 1e-9)
        values = np.sort(probabilities[own, label])
        limits.append(float(values[k - 1]) if k else 0.0)
    return tuple(limits)
