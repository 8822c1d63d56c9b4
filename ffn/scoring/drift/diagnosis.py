"""Diagnose drifted columns: swapped with each other, or given in another unit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.scoring.drift.natural_variation import (
    LESS_THAN_MOVED,
    Strangeness,
    as_moved,
    strangeness_of,
)
from ffn.scoring.drift.psi import chance_limit, psi_of_each
from ffn.scoring.drift.swapped_columns import CHANCE, MOST_COLUMNS, REMAINS, rings, say_exchanged
from ffn.scoring.drift.units import Conversion, conversions
from ffn.tabular.training_table.histograms import Histogram

__all__ = ["suspect"]

Array = npt.NDArray[Any]


def suspect(
    names: Sequence[str],
    reference: Sequence[Histogram],
    rows: Array,
    times: Array,
    drifted: Collection[int],
    threshold: float,
) -> list[str]:
    """Return a sentence for every mistake that would explain the drift.

    Parameters
    ----------
    names, reference
        Names of the numeric columns [F], and their histograms in training.
    rows, times
        A sample of scored rows: numbers [s, F], and how many rows each represents [s].
    drifted
        Indices of the columns that drifted, the most drifted first.
    threshold
        PSI up to which a column fits a histogram; the limit of chance is used if it is larger.

    Notes
    -----
    A column looks like another where it fits the other's reference, and far better than its own.
    Columns with similar distributions cannot be distinguished this way, but swapping them does
    little harm.

    A column looks as if it were in another unit where it fits its own reference once converted.
    Rows of another season, place or year do so by chance, since both their mean and their spread
    are often smaller, or larger. So the nearer a column is to what it was, the more is asked: see
    `Strangeness`.
    """
    some = list(drifted)[:MOST_COLUMNS]
    own = {f: _misfit(rows[:, f], times, reference[f]) for f in some}

    def explains(misfit: float, f: int, g: int) -> bool:
        chance = chance_limit(int(times.sum()), reference[g].counts, CHANCE)
        return misfit <= min(max(threshold, chance), REMAINS * own[f])

    holds: dict[int, int] = {}
    for f in some:
        others = {g: _misfit(rows[:, f], times, reference[g]) for g in some if g != f}
        best = min(others, key=lambda g: (others[g], g), default=None)
        if best is not None and explains(others[best], f, best):
            holds[f] = best
    found, explained = [], set()
    for ring in rings(holds):
        found.append(say_exchanged([names[f] for f in ring]))
        explained.update(ring)
    doubtful = {}
    for f in some:
        if f in explained:
            continue
        strangeness = strangeness_of(rows[:, f], times, reference[f])
        misfit, looks = _unit(names[f], rows[:, f], times, reference[f], strangeness)
        if strangeness is Strangeness.IMPLAUSIBLE:
            if explains(misfit, f, f):
                found.append(looks)
                explained.add(f)
            continue
        chance = chance_limit(int(times.sum()), reference[f].counts, CHANCE)
        moved = _misfit(as_moved(rows[:, f], times, reference[f]), times, reference[f])
        if misfit <= min(chance, REMAINS * own[f], LESS_THAN_MOVED * moved):
            doubtful[f] = looks
    # Where other columns are unlike training's and no mistake explains it, the rows are others,
    # and among these a change of scale is nothing strange.
    if explained | doubtful.keys() == set(drifted):
        found.extend(doubtful.values())
    return found


def _unit(
    name: str, values: Array, times: Array, reference: Histogram, strangeness: Strangeness
) -> tuple[float, str]:
    """Return in what unit a column looks, and the PSI that is left then; infinite if in none."""
    named = strangeness is Strangeness.LITTLE
    tried = [how for how in conversions(name, reference.deviation) if how.named or not named]
    if not tried:
        return np.inf, ""
    factors, offsets = (np.array(own)[:, None] for own in list(zip(*tried, strict=True))[:2])
    misfits = _misfits(values * factors + offsets, times, reference)
    # Of those that fit alike the first is the likelier.
    best = int(misfits.argmin())
    misfit, how = float(misfits[best]), tried[best]
    return misfit, f"{quote(name)} looks {_wrong(how)}{f': {how.guess}?' if how.guess else ''}"


def _wrong(how: Conversion) -> str:
    """Say in words what is to be undone."""
    factor, too_high = how.factor, -how.offset / how.factor
    words = []
    if factor != 1:
        words.append(
            f"{factor:.4g} times too small" if factor > 1 else f"{1 / factor:.4g} times too large"
        )
    if too_high:
        words.append(f"{abs(too_high):.4g} too {'high' if too_high > 0 else 'low'}")
    return " and ".join(words)


def _misfit(values: Array, times: Array, reference: Histogram) -> float:
    """Return the PSI of values [s], each so many times [s], in bins of ``reference``."""
    return float(_misfits(values[None], times, reference)[0])


def _misfits(values: Array, times: Array, reference: Histogram) -> Array:
    """Return the PSI [k] of values [k, s], each so many times [s], in bins of ``reference``."""
    tried, bins = len(values), len(reference.counts)
    if bins == 1:
        # A column without a single edge fits everything, and says nothing.
        return np.full(tried, np.inf)
    known = ~np.isnan(values[0])
    places = np.searchsorted(reference.edges, values[:, known])
    places += bins * np.arange(tried)[:, None]
    weights = np.broadcast_to(times[known], places.shape)
    found = np.bincount(places.ravel(), weights.ravel(), minlength=tried * bins)
    return psi_of_each(found.reshape(tried, bins), np.array(reference.counts))
