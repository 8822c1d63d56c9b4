"""Splits by time: what judges is later than what is trained on, by an embargo if one is set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["draw_forward_windows", "forward_cuts", "hold_out_latest"]

Array = npt.NDArray[Any]


def hold_out_latest(times: Array, share: float, embargo: float = 0) -> tuple[Array, Array, Any]:
    """Return masks [N] of the rows to train on and of those held out, and the time of the cut.

    The latest rows are held out. Rows of equal time stay on one side, so the cut lies between two
    different times, where the held-out rows are nearest to ``share`` of all.

    Parameters
    ----------
    times
        Numbers [N], two or more different ones.
    share
        Share of the rows to hold out, between 0 and 1.
    embargo
        Rows less than this before the cut are in neither part; 0, the default, for no gap.

    Returns
    -------
    training, held_out
        Booleans [N]. No row may be left for training if the embargo is long.
    cut
        The first held-out time.
    """
    values, counts = np.unique(times, return_counts=True)
    later = counts[::-1].cumsum()[::-1]
    # The cut is at one of the times, except the first, before which nothing is.
    cut = values[1 + int(np.argmin(np.abs(later[1:] - share * len(times))))]
    return times < cut - _step(embargo, times), times >= cut, cut


def draw_forward_windows(
    times: Array, share: float, count: int, embargo: float = 0
) -> Iterator[tuple[Array, Array]]:
    """Yield K forward windows as row numbers in order of time.

    Each window trains on rows before its cut and is judged on those from the cut on. The cuts are
    spread evenly over the rows before the last ones that can be validated on, as far back as these
    are many. All windows are equally long, since the networks of a stack are trained together: each
    has the latest rows before its cut, less the embargo, as many as the first window has, and the
    first rows from the cut on, as many as the last window has.

    Parameters
    ----------
    times
        Numbers [n], two or more different ones.
    share
        Share of the rows for validation, between 0 and 1.
    count
        K. With fewer different times than windows, some windows are equal.
    embargo
        Rows less than this before a cut are not trained on; 0, the default, for no gap.

    Yields
    ------
    train, validation
        Row numbers, int32 [n'] and [m], equally many in each window.

    Raises
    ------
    ValueError
        The embargo leaves no row to train on.
    """
    order = np.argsort(times, kind="stable").astype(np.int32)
    ordered = times[order]
    cuts = forward_cuts(ordered, share, count)
    starts = np.searchsorted(ordered, cuts)
    ends = np.searchsorted(ordered, cuts - _step(embargo, times))
    length, judged = int(ends.min()), int(len(times) - starts.max())
    if not length:
        raise ValueError("the embargo leaves no row before the first cut")
    judged = min(judged, max(1, round(share * len(times))))
    for start, end in zip(starts, ends, strict=True):
        yield order[end - length : end], order[start : start + judged]


def forward_cuts(ordered: Array, share: float, count: int) -> Array:
    """Return the K times at which windows are cut, ascending; each is later than the first time.

    Parameters
    ----------
    ordered
        Times [n], ascending; two or more different ones.
    share
        Share of the rows for validation, between 0 and 1.
    count
        K.
    """
    n = len(ordered)
    judged = max(1, round(share * n))
    spread = min(judged, (n - judged) // 2)
    places = np.linspace(n - judged - spread, n - judged, count).round().astype(int)
    values, first = np.unique(ordered, return_index=True)
    # Of two different times around a place, the nearer one.
    right = np.searchsorted(first, places).clip(1, len(first) - 1)
    left = (right - 1).clip(1)
    nearer = np.where(places - first[left] < first[right] - places, left, right)
    found: Array = values[nearer]
    return found


def _step(embargo: float, times: Array) -> Any:
    """Return an embargo as a number of the type of ``times``."""
    return times.dtype.type(embargo)
