"""Whether some rows are served worse than all others: one-sided tests, and bounds at any level.

Searching many slices asks for very small levels, at which approximations that are good at 0.05 are
not: of twenty rows with an error in fifty, three are wrong by chance ten times as often as a score
interval at the level 0.001 allows. Shares are therefore tested exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import effective_share_rows, mean_of_rows, units_of
from ffn.evaluation.inference.statistics import Interval
from ffn.tabular.weighting.effective_rows import effective_rows

__all__ = ["higher_mean_p", "higher_share_p", "mean_at_level", "share_at_level", "units_in"]

Array = npt.NDArray[Any]


def units_in(rows: Array, groups: Array | None, weights: Array | None) -> float:
    """Return as how many independent units of equal weight some rows count.

    Parameters
    ----------
    rows
        Booleans [n]: the rows.
    groups, weights
        Groups and weights of all rows [n]; None where there are none.
    """
    own_groups, own_weights = _of(rows, groups), _of(rows, weights)
    if own_weights is not None:
        return units_of(own_groups, own_weights) if len(own_weights) else 0.0
    return float(rows.sum()) if own_groups is None else float(len(np.unique(own_groups)))


def higher_share_p(
    wrong: Array, inside: Array, groups: Array | None, weights: Array | None
) -> float:
    """Return the p-value of a share of True inside that is no higher than outside.

    Of independent rows it is Fisher's exact test: if all rows are served alike, the errors are a
    random draw of the rows (Fisher 1935, "The logic of inductive inference"). Where rows come in
    groups or are weighted, the larger one of two p-values counts: that of Fisher's test for as many
    independent rows as each side counts, and that of `higher_mean_p`.

    Parameters
    ----------
    wrong
        Booleans [n].
    inside
        Booleans [n]: the slice; neither none nor all.
    groups, weights
        Groups and weights of the rows [n]; None where there are none.
    """
    from scipy import stats

    if groups is None and weights is None:
        n, within = len(wrong), int(inside.sum())
        found = int(wrong[inside].sum())
        return float(stats.hypergeom.sf(found - 1, n, int(wrong.sum()), within))
    (share, rows), (other, others) = (
        _effective_share(wrong[side], _of(side, groups), _of(side, weights))
        for side in (inside, ~inside)
    )
    # Rounded so that no more is found inside, and no less outside, than there is.
    within, beyond = round(rows), round(others)
    found, outside = int(share * within + 1e-9), int(np.ceil(other * beyond - 1e-9))
    exact = stats.hypergeom.sf(found - 1, within + beyond, found + outside, within)
    return max(float(exact), higher_mean_p(wrong.astype(float), inside, groups, weights))


def higher_mean_p(
    values: Array, inside: Array, groups: Array | None, weights: Array | None
) -> float:
    """Return the p-value of a mean inside that is no higher than outside.

    Student's t of the difference of two means, with the variance of sums over groups (or rows),
    which may have rows on both sides: Cameron and Miller 2015, section II. Losses are skewed. Among
    few rows the rare large ones are often missing, and then mean and variance are too low together,
    so the variance is estimated twice, around the means of the two sides and around the common mean
    of all rows, which is the true one if all are served alike; the larger counts.

    Parameters
    ----------
    values
        A figure of each row [n].
    inside
        Booleans [n]: the slice; neither none nor all.
    groups, weights
        Groups and weights of the rows [n]; None where there are none.
    """
    n = len(values)
    weight = np.ones(n) if weights is None else weights / weights.mean()
    # Weights with which the values add up to the difference.
    share = np.where(inside, weight / weight[inside].sum(), -weight / weight[~inside].sum())
    gain = float(share @ values)
    means = np.where(
        inside,
        np.average(values[inside], weights=weight[inside]),
        np.average(values[~inside], weights=weight[~inside]),
    )
    place = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(place.max()) + 1
    variance = max(
        float(np.square(np.bincount(place, share * (values - centre))).sum())
        for centre in (means, np.average(values, weights=weight))
    )
    units = min(units_in(side, groups, weights) for side in (inside, ~inside))
    if count < 2 or units <= 1 or variance <= 0:
        return 1.0
    from scipy import special

    error = np.sqrt(variance * count / (count - 1))
    return float(special.stdtr(units - 1, -gain / error))


def share_at_level(
    right: Array, groups: Array | None, weights: Array | None, alpha: float
) -> Interval:
    """Return the share of rows that are True, with an interval that fails with a chance of alpha.

    Clopper and Pearson 1934; for groups and weights at the effective number of rows, as in Korn and
    Graubard 1998.

    Parameters
    ----------
    right
        Booleans [n], n > 0.
    groups, weights
        Groups and weights of the rows [n]; None where there are none.
    alpha
        Two-sided level.
    """
    from scipy import special

    if groups is None and weights is None:
        share, rows = float(right.mean()), float(len(right))
    else:
        share, rows = _effective_share(right, groups, weights)
        units = units_in(np.ones(len(right), dtype=bool), groups, weights)
        if units <= 1:
            return Interval(share, 0.0, 1.0)
        # Fewer by as much as Student's quantile is larger than the normal one.
        normal, wider = special.ndtri(alpha / 2), special.stdtrit(units - 1, alpha / 2)
        rows *= float(normal / wider) ** 2
    hits = share * rows
    quantile = special.betaincinv
    low = float(quantile(hits, rows - hits + 1, alpha / 2)) if share > 0 else 0.0
    high = float(quantile(hits + 1, rows - hits, 1 - alpha / 2)) if share < 1 else 1.0
    return Interval(share, min(share, low), max(share, high))


def mean_at_level(
    values: Array, worst: Array, groups: Array | None, weights: Array | None, alpha: float
) -> Interval:
    """Return the mean of losses, with an interval that fails with a chance of about alpha.

    It is Student's t, with an upper bound that also reckons with losses which are too rare to be
    among these rows: none was seen of those with a chance of ``1 - (alpha / 2) ** (1 / n)``
    (Clopper and Pearson 1934, for no success), and each of them is as large as a mistake would be
    on an average row.

    Parameters
    ----------
    values
        Losses [n], n > 0, not negative.
    worst
        The loss that each row would have with its least probable label [n].
    groups, weights
        Groups and weights of the rows [n]; None where there are none.
    alpha
        Two-sided level.
    """
    mean, error, _ = mean_of_rows(values, groups, weights)
    units = units_in(np.ones(len(values), dtype=bool), groups, weights)
    if units <= 1 or not np.isfinite(error):
        return Interval(mean, 0.0, np.inf)
    from scipy import special

    half = -float(special.stdtrit(units - 1, alpha / 2)) * error
    unseen = -float(np.expm1(np.log(alpha / 2) / units))
    high = max(
        mean + half, (1 - unseen) * mean + unseen * float(np.average(worst, weights=weights))
    )
    return Interval(mean, max(0.0, mean - half), high)


def _of(rows: Array, values: Array | None) -> Array | None:
    return None if values is None else values[rows]


def _effective_share(
    right: Array, groups: Array | None, weights: Array | None
) -> tuple[float, float]:
    """Return a share, and the number of independent rows of equal weight as which it counts."""
    share, error, _ = mean_of_rows(right.astype(float), groups, weights)
    most = float(len(right)) if weights is None else effective_rows(weights)
    units = units_in(np.ones(len(right), dtype=bool), groups, weights)
    if not np.isfinite(error):
        return share, units
    return share, effective_share_rows(share, error, most, units)
