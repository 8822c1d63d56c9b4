"""What to expect of rows that are later than all in the table, under a split by time.

An interval for the held-out rows says how far their own figure is from that of more rows of the
same time. It says nothing about other times: a share of late flights differs between months by more
than any such interval is wide. How much a model's figures differ from one period to the next can
only be seen in several periods. Each window of the comparison of the optimizers is judged on the
rows after it, and the model on the held-out rows; together they are cut into consecutive periods,
and the interval is Student's prediction interval for one more: Hahn and Meeker 1991, "Statistical
Intervals", section 4.2. Judging forecasts on successively later rows is known as rolling-origin
evaluation: Tashman 2000, "Out-of-sample tests of forecasting accuracy".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval

__all__ = ["LaterPeriods", "expect_later"]

Array = npt.NDArray[Any]

# With fewer periods the spread between them is hardly known: Student's quantile is 4.3 for three,
# and 12.7 for two.
_FEWEST, _MOST = 4, 8
# So many rows at least in a period, that its accuracy is not mostly chance.
_ROWS = 25


@dataclass(frozen=True, kw_only=True)
class LaterPeriods:
    """Figures to expect of a period after the last row of the table.

    Attributes
    ----------
    periods
        Number of consecutive periods from which they are estimated, each judged by a model that was
        trained on earlier rows.
    accuracy, log_loss
        Mean over the periods, with a 95 % prediction interval for the next one; the mean is taken
        of the log-odds and of the logarithm, in which the interval is symmetric.
    """

    periods: int
    accuracy: Interval
    log_loss: Interval


def expect_later(
    times: Array, right: Array, losses: Array, weights: Array | None = None
) -> LaterPeriods | None:
    """Return what to expect of a later period; None if the rows make no four periods.

    It is assumed that the next period differs from those seen as they do from each other. Where
    figures fall from each period to the next, or a season is not among the periods, the next one
    may be outside.

    Parameters
    ----------
    times
        Times [n] of rows that were each predicted by a model trained on earlier rows.
    right
        Booleans [n]: rows whose predicted class is their label.
    losses
        Their log-losses [n], nats.
    weights
        Weights of the rows [n], by which the mean of a period is weighted; None, the default: rows
        count alike.
    """
    order = np.argsort(times, kind="stable")
    period = _periods(times[order])
    count = int(period[-1]) + 1 if len(period) else 0
    if count < _FEWEST:
        return None
    rows = np.bincount(period)
    each = np.ones(len(order)) if weights is None else weights[order]
    # Scaled so that the weights of a period add up to its rows.
    each = each * (rows / np.bincount(period, each))[period]
    # One half is added to either side, so that the log-odds of a period without a mistake exist.
    hits = np.bincount(period, right[order] * each) + 0.5
    odds = _next(np.log(hits / (rows + 1 - hits)))
    mean_losses = np.bincount(period, losses[order] * each) / rows
    loss = _next(np.log(np.maximum(mean_losses, np.finfo(float).tiny)))
    return LaterPeriods(
        periods=count,
        accuracy=Interval(*(float(1 / (1 + np.exp(-bound))) for bound in odds)),
        log_loss=Interval(*(float(np.exp(bound)) for bound in loss)),
    )


def _periods(ordered: Array) -> Array:
    """Return the number of the period of each of the times [n], ascending.

    Periods have about equally many rows, and equal times are in one period.
    """
    n = len(ordered)
    count = min(_MOST, n // _ROWS)
    if count < _FEWEST:
        return np.empty(0, dtype=np.int64)
    _, first, place = np.unique(ordered, return_index=True, return_inverse=True)
    # The period of a time is that of the middle of its rows.
    middle = first + np.diff(first, append=n) / 2
    found = np.unique((middle * count / n).astype(np.int64)[place], return_inverse=True)[1]
    periods: Array = found
    return periods


def _next(values: Array) -> tuple[float, float, float]:
    """Return the mean of independent values [m] and 95 % prediction bounds for one more."""
    from scipy import special

    m = len(values)
    half = float(special.stdtrit(m - 1, 0.975)) * float(values.std(ddof=1)) * np.sqrt(1 + 1 / m)
    mean = float(values.mean())
    return mean, mean - half, mean + half
