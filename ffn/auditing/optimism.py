"""By how much figures are too good: means of paired differences, with bounds for dependent rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Optimism", "mean_by_network", "measure_optimism"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """Mean difference of a figure between the ordinary split and the one that keeps apart.

    Attributes
    ----------
    value
        The mean over rows; above 0 where the ordinary split is too good.
    low, high
        Its 95 % interval.
    bound
        One-sided lower bound at a stricter level, by which it is decided whether it matters.
    """

    value: float
    low: float
    high: float
    bound: float


def measure_optimism(
    differences: Array,
    clusters: Array,
    by_network: Array,
    validation_to_train: float,
    alpha: float,
    weights: Array | None = None,
) -> Optimism:
    """Return the mean of paired differences, with bounds that allow for both kinds of dependence.

    Rows of one group, or of one stretch of time, are alike: their sums are the independent
    observations (Liang and Zeger 1986; Student's t with as many degrees of freedom as clusters,
    less one). And all rows that one network judged share its luck: the means of the networks are
    compared by the corrected t of Nadeau and Bengio 2003, with the variance
    ``(1/F + n_validation / n_train) s^2``, which Bouckaert and Frank 2004 apply to folds. The wider
    of the two is used on either side.

    Parameters
    ----------
    differences
        Figure on the ordinary split minus figure apart, or the reverse for losses, of each row [n].
    clusters
        Cluster of each row [n]; two or more.
    by_network
        Mean difference of the rows that each network judged [F].
    validation_to_train
        Number of rows that a network is judged on, divided by those it is trained on.
    alpha
        One-sided level of ``bound``.
    weights
        Weights of the rows [n] in the mean, whose residuals are those of the linearised ratio then;
        None, the default: rows count alike.
    """
    from scipy import special

    each = np.ones(len(differences)) if weights is None else weights / weights.mean()
    mean = float((differences * each).mean())
    _, place = np.unique(clusters, return_inverse=True)
    count = int(place.max()) + 1
    residuals = np.bincount(place, (differences - mean) * each)
    factor = count / max(1, count - 1)
    by_cluster = float(np.sqrt(factor * (residuals**2).sum())) / len(differences)
    f = len(by_network)
    by_fold = float(np.sqrt((1 / f + validation_to_train) * np.var(by_network, ddof=1)))
    errors = ((by_cluster, count - 1), (by_fold, f - 1))

    def half(level: float) -> float:
        return max(float(special.stdtrit(df, 1 - level)) * error for error, df in errors)

    return Optimism(
        value=mean, low=mean - half(0.025), high=mean + half(0.025), bound=mean - half(alpha)
    )


def mean_by_network(values: Array, weights: Array | None) -> Array:
    """Return the mean over the rows that each network judged [F].

    Parameters
    ----------
    values
        A figure by network and row [F, n], NaN where a network did not judge.
    weights
        Weights of the rows [n]; None if they count alike.
    """
    if weights is None:
        found: Array = np.nanmean(values, axis=1)
        return found
    known = ~np.isnan(values)
    weighed: Array = np.where(known, values, 0) @ weights / (known @ weights)
    return weighed
