"""Which of a column's ascending knots a number lies between, from a table of equal cells.

A binary search asks once for each doubling of the knots. Here the range of the knots is cut into
equal cells, so many that none holds more than one knot. The cell of a number is a product and a
rounding; the table says how many knots lie in the cells before, and one comparison whether the one
in the cell counts as well. Chen and Asau 1974, "On generating random variates from an empirical
distribution", call this an index table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KnotLookup", "find_cells"]

Array = npt.NDArray[Any]

# Cells of a column: 32 kB of positions stay in a processor's first cache.
_MOST_CELLS = 4096


@dataclass(frozen=True, kw_only=True)
class KnotLookup:
    """Lines between the knots of one column, found by cells.

    Attributes
    ----------
    first, last
        The lowest and the highest knot.
    cells_a_unit
        Number of cells in a distance of 1.
    before
        Integers [cells]: position of the last knot in the cells before, from -1.
    following
        Float64 [cells]: the knot after that one; infinite behind the last knot.
    knots, values, slopes
        Float64 [m]: the knots, the values at them, and the slopes of the lines that begin there.
    """

    first: float
    last: float
    cells_a_unit: float
    before: Array
    following: Array
    knots: Array
    values: Array
    slopes: Array

    def __call__(self, numbers: Array) -> Array:
        """Return what ``np.interp`` returns for float64 ``numbers`` [n] without NaN, bit for bit.

        The cells are only a way to find the line: numbers and knots are put into cells by the same
        arithmetic, which is monotone, so that rounding cannot put them into another order.
        """
        inside = np.clip(numbers, self.first, self.last)
        cells = _cells(inside, self.first, self.cells_a_unit)
        places = self.before.take(cells)
        places += inside >= self.following.take(cells)
        inside -= self.knots.take(places)
        inside *= self.slopes.take(places)
        inside += self.values.take(places)
        return inside


def find_cells(knots: Array, values: Array) -> KnotLookup | None:
    """Return the lookup for the knots of a column; None if it would take too many cells.

    Parameters
    ----------
    knots
        Float64 [m], ascending, m from 2 up, with a finite distance from the first to the last.
    values
        Float64 [m], what is known at the knots.
    """
    steps, span = np.diff(knots), float(knots[-1] - knots[0])
    with np.errstate(over="ignore", divide="ignore"):
        slopes = np.append(np.diff(values) / steps, 0.0)
        cells_needed = span / float(steps.min()) + 1
        cells_a_unit = cells_needed / span
    if not (cells_needed < _MOST_CELLS and np.isfinite([*slopes, cells_a_unit]).all()):
        return None
    first, last = float(knots[0]), float(knots[-1])
    own = _cells(knots, first, cells_a_unit)
    if not (np.diff(own) > 0).all():
        return None
    before = np.searchsorted(own, np.arange(own[-1] + 1)) - 1
    return KnotLookup(
        first=first,
        last=last,
        cells_a_unit=cells_a_unit,
        before=before,
        following=np.append(knots, np.inf)[before + 1],
        knots=knots,
        values=values,
        slopes=slopes,
    )


def _cells(numbers: Array, first: float, cells_a_unit: float) -> Array:
    """Return the cell of each number, which is ``first`` or more."""
    return ((numbers - first) * cells_a_unit).astype(np.intp)
