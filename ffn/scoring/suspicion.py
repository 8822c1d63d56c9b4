"""What columns that drifted look like: exchanged with each other, or in another unit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.scoring.stability import chance_limit, psi
from ffn.scoring.units import scales
from ffn.tabular.reference import Histogram

__all__ = ["suspect"]

Array = npt.NDArray[Any]

# Another explanation has to leave this share of the column's own PSI at most.
_REMAINS = 0.2
# Probability that a column which is as explained misfits by chance.
_CHANCE = 0.01
# Pairs are looked at: of more columns those that drifted most.
_MOST_COLUMNS = 50


def suspect(
    names: Sequence[str],
    reference: Sequence[Histogram],
    rows: Array,
    times: Array,
    drifted: Collection[int],
    threshold: float,
) -> list[str]:
    """Return a sentence for every mistake that would explain what drifted.

    Parameters
    ----------
    names, reference
        Of the numeric columns [F].
    rows, times
        A sample of scored rows: numbers [s, F], and how many rows each is [s].
    drifted
        Columns whose distribution is another, those that drifted most first.
    threshold
        PSI up to which a column fits, or up to what chance does to so few rows.

    Notes
    -----
    A column looks like another where it fits the other's reference, and far better than its own.
    Columns that look alike cannot be told apart by this, and do little harm exchanged.
    """
    some = list(drifted)[:_MOST_COLUMNS]
    own = {f: _misfit(rows[:, f], times, reference[f]) for f in some}

    def explains(misfit: float, f: int, g: int) -> bool:
        chance = chance_limit(int(times.sum()), reference[g].counts, _CHANCE)
        return misfit <= min(max(threshold, chance), _REMAINS * own[f])

    holds: dict[int, int] = {}
    for f in some:
        others = {g: _misfit(rows[:, f], times, reference[g]) for g in some if g != f}
        best = min(others, key=lambda g: (others[g], g), default=None)
        if best is not None and explains(others[best], f, best):
            holds[f] = best
    found, explained = [], set()
    for ring in _rings(holds):
        columns = [quote(names[f]) for f in sorted(ring)]
        what = "exchanged" if len(ring) == 2 else "mixed up"
        found.append(f"columns {', '.join(columns[:-1])} and {columns[-1]} look {what}")
        explained.update(ring)
    for f in some:
        misfit, looks = _unit(names[f], rows[:, f], times, reference[f])
        if f not in explained and explains(misfit, f, f):
            found.append(looks)
    return found


def _rings(holds: dict[int, int]) -> list[list[int]]:
    """Return the columns that hold what each other held, ring by ring."""
    rings, seen = [], set()
    for start in holds:
        ring, at = [start], holds[start]
        while at in holds and at not in ring:
            ring.append(at)
            at = holds[at]
        if at == start and len(ring) > 1 and start not in seen:
            rings.append(ring)
            seen.update(ring)
    return rings


def _unit(name: str, values: Array, times: Array, reference: Histogram) -> tuple[float, str]:
    """Return in what unit a column looks, and the PSI that is left then."""
    tried = [
        (_misfit(values * factor, times, reference), factor, guess)
        for factor, guess in scales(name)
    ]
    # Of factors that fit alike the first is the likelier.
    misfit, factor, guess = min(tried, key=lambda one: one[0])
    how = f"{factor:.4g} times too small" if factor > 1 else f"{1 / factor:.4g} times too large"
    return misfit, f"{quote(name)} looks {how}{f': {guess}?' if guess else ''}"


def _misfit(values: Array, times: Array, reference: Histogram) -> float:
    """Return the PSI of values [s], each so many times [s], in bins of ``reference``."""
    known = ~np.isnan(values)
    places = np.searchsorted(reference.edges, values[known])
    found = np.bincount(places, weights=times[known], minlength=len(reference.counts))
    expected = np.array(reference.counts)
    # A column without a single edge fits everything, and says nothing.
    return psi(found, expected) if len(expected) > 1 else np.inf
