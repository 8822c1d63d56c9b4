"""Intervals of ranking metrics for rows that come in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import hull
from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.ranking_metrics import Ranking, rank_rows

__all__ = ["rank_groups"]

Array = npt.NDArray[Any]

# Parts of the delete-a-group jackknife. With many classes and rows there are fewer, as each takes
# as long as the figures themselves; Student's quantile accounts for it.
_PARTS, _FEWEST_PARTS, _MOST_SCORES = 40, 10, 2**23


def rank_groups(ranking: Ranking, probabilities: Array, labels: Array, groups: Array) -> Ranking:
    """Return ranking metrics with intervals that take groups for units.

    Each interval is widened by Student's t of a delete-a-group jackknife: groups are dealt to at
    most 40 parts, and the figures computed without each part (Kott 2001, "The Delete-a-Group
    Jackknife"). With no more groups than parts it is the delete-one-group jackknife.

    Parameters
    ----------
    ranking
        The figures, with intervals for independent rows.
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    groups
        Numbers of the rows' groups [n], from 0, in an order that is independent of the rows.
    """
    parts = min(_PARTS, max(_FEWEST_PARTS, _MOST_SCORES // probabilities.size))
    count = min(parts, int(groups.max()) + 1)
    errors = np.zeros(len(_figures(ranking)))
    # Of a single group `hull` knows nothing, whatever the error.
    if count > 1:
        parts_kept = (groups % count != part for part in range(count))
        without = [_values(rank_rows(probabilities[kept], labels[kept])) for kept in parts_kept]
        # A class whose rows are all in one part has no figure without it.
        left = np.ma.masked_invalid(np.array(without))
        spread = np.ma.filled(np.square(left - left.mean(axis=0)).sum(axis=0), 0.0)
        errors = np.sqrt((count - 1) / count * spread)
    wide = [
        _clipped(hull(one, one.value, float(error), count)) if np.isfinite(one.value) else one
        for one, error in zip(_figures(ranking), errors, strict=True)
    ]
    c = probabilities.shape[1]
    return Ranking(
        auc=tuple(wide[:c]),
        average_precision=tuple(wide[c : 2 * c]),
        mean_auc=wide[-2],
        mean_average_precision=wide[-1],
    )


def _figures(ranking: Ranking) -> Sequence[Interval]:
    means = ranking.mean_auc, ranking.mean_average_precision
    return (*ranking.auc, *ranking.average_precision, *means)


def _values(ranking: Ranking) -> list[float]:
    return [one.value for one in _figures(ranking)]


def _clipped(one: Interval) -> Interval:
    return Interval(one.value, max(0.0, one.low), min(1.0, one.high))
