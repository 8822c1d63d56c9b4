"""Choice of a threshold between two classes, on predictions for rows that were not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["best_threshold"]

Array = npt.NDArray[Any]

# Values that differ by less are equal: what remains is rounding.
_EQUAL = 1e-12


def best_threshold(
    shares: Array, positive: Array, metric: str, costs: Array, weights: Array | None = None
) -> float | None:
    """Return the threshold above 0 and below 1 with the best figure; None if there is none.

    A row is labelled positive from the threshold on. All thresholds that label the rows
    differently are tried, halfway between two neighbouring probabilities. Among equally good ones
    the nearest to 1/2 is chosen. Choosing a threshold by trial needs no calibrated probabilities
    (Sheng and Ling 2006, "Thresholding for making classifiers cost-sensitive").

    Parameters
    ----------
    shares
        Probability of the positive class [n].
    positive
        Booleans [n]: rows of that class. There is no best threshold unless both occur.
    metric
        ``balanced_accuracy`` or ``f1`` (of the positive class), to be maximised, or
        ``expected_cost``, to be minimised.
    costs
        Cost of a row [2, 2] by true class and label, the negative class first.
    weights
        Weights of the rows [n], above 0; None, the default: rows count alike.
    """
    if positive.all() or not positive.any():
        return None
    each = np.ones(len(shares), dtype=np.int64) if weights is None else weights
    n, n_positive = each.sum(), each[positive].sum()
    order = np.argsort(-shares, kind="stable")
    sorted_shares = shares[order]
    # With the first rows labelled positive: none, one, …, all.
    hits = np.concatenate([[0], np.cumsum(np.where(positive, each, 0)[order])])
    false_alarms = np.concatenate([[0], np.cumsum(each[order])]) - hits
    misses, rejections = n_positive - hits, n - n_positive - false_alarms
    upper = np.concatenate([[1.0], sorted_shares])
    lower = np.concatenate([sorted_shares, [0.0]])
    middle = (upper + lower) / 2
    thresholds = np.where(middle > lower, middle, upper)
    if metric == "balanced_accuracy":
        figures = hits / n_positive + rejections / (n - n_positive)
    elif metric == "f1":
        figures = 2 * hits / (2 * hits + false_alarms + misses)
    else:
        of_negative, of_positive = costs
        figures = -(
            rejections * of_negative[0]
            + false_alarms * of_negative[1]
            + misses * of_positive[0]
            + hits * of_positive[1]
        )
    tried = (upper > lower) & (thresholds > 0) & (thresholds < 1)
    if not tried.any():
        return None
    highest = figures[tried].max()
    best = thresholds[tried & (figures >= highest - _EQUAL * max(1.0, abs(highest)))]
    return float(best[np.abs(best - 0.5).argmin()])
