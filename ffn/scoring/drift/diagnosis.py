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

    A column with drift may hold another column's values, or its own in another unit.

    Parameters
    ----------
    names
        Names of the numeric columns [F].
    reference
        Histograms of these columns in training [F].
    rows
        A sample of scored rows: numbers [s, F], NaN for missing.
    times
        Number of rows that each row of the sample represents [s].
    drifted
        Indices of the columns that drifted, the most drifted first.
    threshold
        PSI up to which a column fits a histogram; if it is larger, the PSI that chance alone
        explains is used.

    Notes
    -----
    A column is taken for another one if it fits that column's reference, and far better than its
    own. Columns with similar distributions cannot be distinguished this way, but swapping them
    does little harm.

    A column is taken to be in another unit if it fits its own reference once converted, and better
    than after the best plain shift, unless its name contains the unit and no season is so far
    away. Rows of another season, place or year may do
    so by chance, since their mean and spread are often both smaller, or both larger. So the closer
    a column is to its reference, and the more a conversion resembles what a season does, the
    stronger the evidence required: see `Strangeness` and `Conversion`.
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
        misfit, how = _unit(names[f], rows[:, f], times, reference[f], strangeness)
        if how is None:
            continue
        shifted = as_moved(rows[:, f], times, reference[f])
        moved = float(_misfits(shifted, times, reference[f]).min())
        if strangeness is Strangeness.IMPLAUSIBLE and not how.like_a_season:
            if explains(misfit, f, f) and (how.named or how.only_moves or misfit <= moved):
                found.append(_looks(names[f], how))
                explained.add(f)
            continue
        chance = chance_limit(int(times.sum()), reference[f].counts, CHANCE)
        if misfit <= min(chance, REMAINS * own[f], LESS_THAN_MOVED * moved):
            doubtful[f] = _looks(names[f], how)
    # If some drifted columns are not explained by any mistake, the rows come from another
    # population, in which a change of scale is plausible by itself.
    if explained | doubtful.keys() == set(drifted):
        found.extend(doubtful.values())
    return found


def _unit(
    name: str, values: Array, times: Array, reference: Histogram, strangeness: Strangeness
) -> tuple[float, Conversion | None]:
    """Return the remaining PSI after the best conversion, and this one; None if none is tried."""
    named = strangeness is Strangeness.LITTLE
    tried = [how for how in conversions(name, reference.deviation) if how.named or not named]
    if not tried:
        return np.inf, None
    factors, offsets = (np.array(own)[:, None] for own in list(zip(*tried, strict=True))[:2])
    misfits = _misfits(values * factors + offsets, times, reference)
    # Conversions come in order of likelihood, so of equal ones the first is chosen.
    best = int(misfits.argmin())
    return float(misfits[best]), tried[best]


def _looks(name: str, how: Conversion) -> str:
    """Return the suspicion that a column needs a conversion, in words."""
    return f"{quote(name)} looks {_wrong(how)}{f': {how.guess}?' if how.guess else ''}"


def _wrong(how: Conversion) -> str:
    """Return in words how the values are wrong."""
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
    """Return the PSI of values [s] with frequencies ``times`` [s], in bins of ``reference``."""
    return float(_misfits(values[None], times, reference)[0])


def _misfits(values: Array, times: Array, reference: Histogram) -> Array:
    """Return PSIs [k] of values [k, s] with frequencies ``times`` [s], binned as ``reference``."""
    tried, bins = len(values), len(reference.counts)
    if bins == 1:
        # A histogram with a single bin fits everything, so it is no evidence.
        return np.full(tried, np.inf)
    known = ~np.isnan(values[0])
    places = np.searchsorted(reference.edges, values[:, known])
    places += bins * np.arange(tried)[:, None]
    weights = np.broadcast_to(times[known], places.shape)
    found = np.bincount(places.ravel(), weights.ravel(), minlength=tried * bins)
    return psi_of_each(found.reshape(tried, bins), np.array(reference.counts))
