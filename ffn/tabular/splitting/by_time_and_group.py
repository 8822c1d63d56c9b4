"""Splits by time and group: later rows judge, of groups of which nothing is trained on.

Of all ways to keep both apart, this one leaves most rows for training: held out are later rows of
the judging groups, trained on are earlier rows of the others, and only their counterparts are lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.splitting.by_group import (
    choose_groups,
    drawn_rows,
    hold_out_groups,
    ranked_groups,
)
from ffn.tabular.splitting.by_time import forward_cuts, hold_out_latest

__all__ = ["draw_later_groups", "hold_out_later_groups"]

Array = npt.NDArray[Any]


def hold_out_later_groups(
    times: Array, groups: Array, share: float, seed: int, embargo: float = 0
) -> tuple[Array, Array, Any, int]:
    """Return masks of the rows to train on and of those held out, the cut, and the hash limit.

    Held out are the rows from the cut on (`hold_out_latest`) of groups that have no earlier row,
    and of groups chosen by hash (`hold_out_groups`) among those that have one. Trained on are the
    rows before the cut, less the embargo, of all others. In neither part are earlier rows of the
    chosen groups, later rows of the others, and the embargo.

    Parameters
    ----------
    times
        Numbers [N], two or more different ones.
    groups
        Identifiers of the rows' groups, uint64 [N].
    share
        Share of the rows after the cut, and, of the groups with earlier rows, of the chosen ones.
    seed
        Seed of the hash.
    embargo
        Rows less than this before the cut are in neither part; 0, the default, for no gap.

    Returns
    -------
    training, held_out
        Booleans [N].
    cut
        The first time that may be held out.
    limit
        A group is chosen if its hash is below this number, as `hold_out_groups` returns it.
    """
    early, late, cut = hold_out_latest(times, share, embargo)
    _, place = ranked_groups(groups)
    old = (np.bincount(place, times < cut) > 0)[place]
    chosen, limit = np.zeros(len(groups), dtype=bool), 0
    if len(np.unique(groups[old])) > 1:
        chosen[old], limit = hold_out_groups(groups[old], share, seed)
    return early & ~chosen, late & (chosen | ~old), cut, limit


def draw_later_groups(
    times: Array,
    groups: Array,
    share: float,
    generators: Sequence[np.random.Generator],
    embargo: float = 0,
) -> Iterator[tuple[Array, Array]]:
    """Yield K forward windows by group as row numbers, ascending.

    The cuts are those of `draw_forward_windows`. Of the groups with rows on both sides of a cut, so
    many are drawn at random to judge that they have about ``share`` of the rows from the cut on;
    groups without an earlier row judge as well. Of the larger windows some rows, drawn at random,
    are in neither part, so that all have as many as the smallest.

    Parameters
    ----------
    times
        Numbers [n], two or more different ones.
    groups
        Identifiers of the rows' groups [n].
    share
        Share of the rows for validation, between 0 and 1.
    generators
        Sources of randomness [K].
    embargo
        Rows less than this before a cut are not trained on; 0, the default, for no gap.

    Yields
    ------
    train, validation
        Row numbers, int32 [n'] and [m], equally many in each window.

    Raises
    ------
    ValueError
        A window has no row to train on.
    """
    _, place = ranked_groups(groups)
    cuts = forward_cuts(np.sort(times), share, len(generators))
    judging = [
        _judging(times >= cut, place, share, generator)
        for cut, generator in zip(cuts, generators, strict=True)
    ]

    def sides(window: int) -> tuple[Array, Array]:
        cut, judges = cuts[window], judging[window][place]
        early = times < cut - times.dtype.type(embargo)
        return np.flatnonzero(early & ~judges), np.flatnonzero((times >= cut) & judges)

    # Only the sizes of all windows are needed at once, not their rows.
    sizes = np.array([[len(side) for side in sides(window)] for window in range(len(cuts))])
    trained, judged = sizes.min(axis=0).tolist()
    if not trained:
        raise ValueError("a window has no row to train on")
    for window, generator in enumerate(generators):
        train, validation = sides(window)
        yield (
            drawn_rows(train, trained, generator),
            drawn_rows(validation, judged, generator),
        )


def _judging(late: Array, place: Array, share: float, generator: np.random.Generator) -> Array:
    """Return booleans [G] of the groups that judge a window, from its later rows [n]."""
    after = np.bincount(place, late).astype(np.int64)
    old = np.bincount(place, ~late) > 0
    judging: Array = ~old
    crossing = np.flatnonzero(old & (after > 0))
    if len(crossing):
        sizes = after[crossing]
        judging[crossing] = choose_groups(sizes, share * float(sizes.sum()), generator)
    return judging
