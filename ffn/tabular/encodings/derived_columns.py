"""One raw column as several numbers, before these are encoded like any others.

A raw numeric column gives one number, itself, or as many as it has parts. What follows (filling
gaps, standardising, the piecewise encoding) sees the derived columns alone; what is said of a
feature (its range, drift, importance, its indicator for "missing") is said of the raw one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.date_parts import CLOCK_PARTS, TREND, DatePart, part_of_dates

__all__ = ["DerivedColumns", "derive"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class DerivedColumns:
    """The D numbers that are derived of F raw numeric columns.

    Attributes
    ----------
    derived_owners
        Integers [D], ascending: position of the raw column of each.
    derived_parts
        Integers [D]: which part of it, a code of `DatePart`; 0 for the number itself.
    derived_origins
        Float64 [D]: from what the part is counted, in units of the raw column; else 0.
    """

    derived_owners: Array
    derived_parts: Array
    derived_origins: Array

    def columns_of(self, owner: int, values: Array) -> Iterator[Array]:
        """Yield the numbers [n] that are derived of the ``values`` [n] of one raw column.

        Parameters
        ----------
        owner
            Position of the raw column.
        values
            Its numbers, float64, NaN for missing; so are then all that are derived of it.
        """
        for d in np.flatnonzero(self.derived_owners == owner).tolist():
            yield self._derived(d, values)

    def _derived(self, d: int, values: Array) -> Array:
        part = DatePart(int(self.derived_parts[d]))
        return part_of_dates(part, values, float(self.derived_origins[d]))

    def expand(self, numeric: Array) -> Array:
        """Return the derived numbers, float64 [D, n], of raw ones [F, n]."""
        found = np.empty((len(self.derived_owners), numeric.shape[1]))
        for d, owner in enumerate(self.derived_owners.tolist()):
            found[d] = self._derived(d, numeric[owner])
        return found

    def first_of(self) -> Array:
        """Return the position of the first number that is derived of each raw column [F]."""
        first: Array = np.unique(self.derived_owners, return_index=True)[1]
        return first

    def problem(self, are_dates: Sequence[bool], are_times: Sequence[bool]) -> str | None:
        """Return why this cannot derive numbers of the raw columns; None if it can.

        Types and dimensions of the arrays are not looked at.

        Parameters
        ----------
        are_dates
            For each raw column [F], whether it holds dates.
        are_times
            Whether it holds times of day.
        """
        owners, parts = self.derived_owners.tolist(), self.derived_parts.tolist()
        if owners != sorted(owners) or set(owners) != set(range(len(are_dates))):
            return "the owners of derived columns are not the numeric features"
        of_owners: list[list[int]] = [[] for _ in are_dates]
        for owner, part in zip(owners, parts, strict=True):
            of_owners[owner].append(part)
        kinds = zip(of_owners, are_dates, are_times, strict=True)
        for owner, (own, dated, timed) in enumerate(kinds):
            known = set(CLOCK_PARTS) if timed else {DatePart.NUMBER}
            if dated:
                known = set(DatePart) - {DatePart.NUMBER}
            if len(set(own)) < len(own) or not known.issuperset(own):
                return f"the parts of numeric feature {owner + 1} are {own}"
        return None


def derive(parts: Sequence[tuple[Sequence[DatePart], float]]) -> DerivedColumns | None:
    """Return the derived columns; None if every raw column is only itself.

    Parameters
    ----------
    parts
        For each raw column [F] its parts, from one up, and from what they are counted.
    """
    if all(list(own) == [DatePart.NUMBER] for own, _ in parts):
        return None
    return DerivedColumns(
        derived_owners=np.array(
            [owner for owner, (own, _) in enumerate(parts) for _ in own], dtype=np.int64
        ),
        derived_parts=np.array([part for own, _ in parts for part in own], dtype=np.int64),
        derived_origins=np.array(
            [origin if part in TREND else 0.0 for own, origin in parts for part in own],
            dtype=np.float64,
        ),
    )
