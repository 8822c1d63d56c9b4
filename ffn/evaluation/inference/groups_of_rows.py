"""Estimates from rows that come in groups, whose rows are not independent of each other.

The group takes the place of the row. A mean over rows is the ratio of two sums over groups, and its
variance is that of the delete-one-group jackknife, the cluster-robust variance CV3: Cameron and
Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference", section VI; MacKinnon, Nielsen
and Webb 2023, "Cluster-robust inference: A guide to empirical practice". It has the degrees of
freedom of the groups, G - 1, and with few groups of different sizes it is rather too large than too
small. With one row in each group it is the usual variance of a mean.

A weighted mean is the ratio of two sums as well, ``sum w y / sum w``, and its variance is that of
the same jackknife, over rows where they do not come in groups. To first order it is the variance of
the linearised ratio, ``n / (n - 1) sum (w (y - mean) / sum w)²`` (Cochran 1977, "Sampling
Techniques", section 6.3; Rao and Wu 1985, "Inference from stratified samples").
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval
from ffn.tabular.weighting.effective_rows import effective_rows

__all__ = [
    "design_effect",
    "effective_share_rows",
    "grouped_share",
    "hull",
    "mean_of_rows",
    "units_of",
    "values_of_groups",
    "weighted_share",
]

Array = npt.NDArray[Any]


def values_of_groups(values: Array, groups: Array | None, weights: Array | None = None) -> Array:
    """Return G values that can be treated as independent, with the mean of the n given ones.

    Their standard error, ``s / sqrt(G)``, is the jackknife's, so that whatever is made of
    independent values (Student's t, a bootstrap: here of whole groups, as in Field and Welsh 2007,
    "Bootstrapping clustered data") can be made of these. With groups of equal size they are the
    means of the groups.

    Parameters
    ----------
    values
        A figure of each row [n].
    groups
        Identifiers of the rows' groups [n]; None if rows are independent, and returned as they are.
    weights
        Weights of the rows [n], of which the returned values have the weighted mean; None, the
        default: rows count alike. The rows themselves are the groups then if there are none.
    """
    if weights is not None and len(values):
        return _weighted_values(np.asarray(values, dtype=float), groups, weights)
    if groups is None or not len(values):
        return values
    _, place = np.unique(groups, return_inverse=True)
    sizes = np.bincount(place)
    if len(sizes) == len(values):
        return values
    mean = float(values.mean())
    if len(sizes) == 1:
        return np.array([mean])
    # The mean of all rows minus that of the rows of all other groups.
    excess = np.bincount(place, values) - mean * sizes
    changes = excess / (len(values) - sizes)
    found: Array = mean + (len(sizes) - 1) * (changes - changes.mean())
    return found


def _weighted_values(values: Array, groups: Array | None, weights: Array) -> Array:
    """Return the pseudo-values of `values_of_groups` for rows of unequal weight."""
    mean = float(np.average(values, weights=weights))
    own = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    of_group = np.bincount(own, weights)
    if len(of_group) == 1:
        return np.array([mean])
    excess = np.bincount(own, weights * (values - mean))
    # Summed up without the group itself: by subtraction nothing would be left beside a group that
    # outweighs all others.
    left = np.concatenate([[0.0], np.cumsum(of_group)[:-1]])
    left += np.concatenate([np.cumsum(of_group[::-1])[::-1][1:], [0.0]])
    changes = excess / left
    found: Array = mean + (len(of_group) - 1) * (changes - changes.mean())
    return found


def units_of(groups: Array | None, weights: Array) -> float:
    """Return how many rows, or groups, of equal weight say as much (`effective_rows`).

    Parameters
    ----------
    groups
        Identifiers of the rows' groups [n]; None if rows are independent.
    weights
        Weights of the rows [n], n > 0.
    """
    if groups is None:
        return effective_rows(weights)
    return effective_rows(np.bincount(np.unique(groups, return_inverse=True)[1], weights))


def mean_of_rows(
    values: Array, groups: Array | None, weights: Array | None = None
) -> tuple[float, float, int]:
    """Return the mean over rows, its standard error, and the number of groups.

    Parameters
    ----------
    values
        A figure of each row [n], n > 0.
    groups
        Identifiers of the rows' groups [n]. With a single one the error is infinite. None: each row
        is one.
    weights
        Weights of the rows [n] in the mean; None, the default: rows count alike.
    """
    own = values_of_groups(np.asarray(values, dtype=float), groups, weights)
    count = len(own)
    error = float(own.std(ddof=1)) / np.sqrt(count) if count > 1 else np.inf
    mean = float(np.mean(values) if weights is None else np.average(values, weights=weights))
    return mean, float(error), count


def design_effect(values: Array, groups: Array) -> float:
    """Return how many times as many grouped rows as independent ones an estimate needs, 1 to n.

    It is the variance of the mean with groups, divided by that without (Kish 1965). If all values
    are equal, neither can be estimated, and rows of a group count as one.

    Parameters
    ----------
    values
        A figure of each row [n], n > 0.
    groups
        Identifiers of the rows' groups [n].
    """
    n = len(values)
    count = len(np.unique(groups))
    variance = float(np.var(values, ddof=1)) / n if n > 1 else 0.0
    if count < 2 or variance <= 1e-24:
        return n / count
    error = mean_of_rows(values, groups)[1]
    return float(np.clip(error**2 / variance, 1.0, n))


def grouped_share(right: Array, groups: Array) -> Interval:
    """Return the share of rows that are True, with a 95 % interval that takes groups for units.

    Wilson's interval for as many independent rows as give the same variance, with Student's
    quantile for G - 1 degrees of freedom: Korn and Graubard 1998, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data", with
    Wilson's interval as in Franco, Little, Louis and Slud 2019, "Comparative study of confidence
    intervals for proportions in complex sample surveys".

    Parameters
    ----------
    right
        Booleans [n]. With n = 0 the result is NaN in [0, 1].
    groups
        Identifiers of the rows' groups [n].
    """
    from scipy import special

    if not len(right):
        return Interval(float("nan"), 0.0, 1.0)
    values = np.asarray(right, dtype=float)
    share, count = float(values.mean()), len(np.unique(groups))
    if count < 2:
        return Interval(share, 0.0, 1.0)
    rows = len(values) / design_effect(values, groups)
    return _wilson_t(share, rows, float(special.stdtrit(count - 1, 0.975)))


def weighted_share(right: Array, groups: Array | None, weights: Array) -> Interval:
    """Return the weighted share of rows that are True, with a 95 % interval.

    As in `grouped_share`, the interval is Wilson's for as many independent rows of equal weight as
    give the same variance, with Student's quantile (Korn and Graubard 1998). There are no more of
    them than `effective_rows` of the weights, of the rows or of the groups if all values are equal,
    and the degrees of freedom are so many less one: a few heavy rows are few observations, however
    many light ones there are beside them.

    Parameters
    ----------
    right
        Booleans [n]. With n = 0 the result is NaN in [0, 1].
    groups
        Identifiers of the rows' groups [n]; None if rows are independent.
    weights
        Weights of the rows [n], above 0.
    """
    from scipy import special

    if not len(right):
        return Interval(float("nan"), 0.0, 1.0)
    values = np.asarray(right, dtype=float)
    share, error, count = mean_of_rows(values, groups, weights)
    if count < 2:
        return Interval(share, 0.0, 1.0)
    units = units_of(groups, weights)
    rows = effective_share_rows(share, error, effective_rows(weights), units)
    return _wilson_t(share, rows, float(special.stdtrit(max(1.0, units - 1), 0.975)))


def effective_share_rows(share: float, error: float, most: float, units: float) -> float:
    """Return as how many independent rows of equal weight a weighted share counts.

    Parameters
    ----------
    share, error
        The share, and its standard error.
    most
        `effective_rows` of the weights, which it is at most.
    units
        Effective number of rows, or of groups, which it is if the error cannot be estimated.
    """
    if error <= 1e-12:
        return units
    return float(np.clip(share * (1 - share) / error**2, 1.0, most))


def _wilson_t(share: float, rows: float, q: float) -> Interval:
    """Return Wilson's interval of a share of so many rows, with the quantile ``q``."""
    centre = (share + q * q / (2 * rows)) / (1 + q * q / rows)
    spread = share * (1 - share) / rows + q * q / (4 * rows * rows)
    half = q / (1 + q * q / rows) * np.sqrt(spread)
    # Rounding must not move a bound across the share itself.
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(share, float(min(share, low)), float(max(share, high)))


def hull(one: Interval, mean: float, error: float, count: float) -> Interval:
    """Return an interval widened so that it has Student's t interval around ``mean`` within.

    Parameters
    ----------
    one
        An interval, such as one for independent rows that does not shrink to nothing.
    mean, error, count
        An estimate, its standard error, and the number of groups, or of effective rows.
    """
    from scipy import special

    half = float(special.stdtrit(max(1, count - 1), 0.975)) * error if count > 1 else np.inf
    return Interval(one.value, min(one.low, mean - half), max(one.high, mean + half))
