"""What decision trees see of a network's inputs: each number once, many categories as one code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["TreeInputs"]

Array = npt.NDArray[Any]

# Of two inputs one tells all. scikit-learn's histograms have 255 bins, and code 0 is that of a
# category without an input.
_FEWEST_CODES, _MOST_CODES = 3, 254


@dataclass(frozen=True, kw_only=True)
class TreeInputs:
    """A choice of inputs, some of them put together again.

    A tree asks for thresholds and gains nothing from a number in several scales. Of one-hot inputs
    it asks for one category at a time; codes of all can be divided at once, after sorting them by
    the gradient (Fisher 1958, "On grouping for maximum homogeneity"). A table of ten columns of
    categories in 200 inputs took five times as long without codes.

    Attributes
    ----------
    numbers
        Positions of the inputs that are taken as they are.
    categories
        For each feature that is a code, the positions of its one-hot inputs.
    """

    numbers: tuple[int, ...]
    categories: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, places: Sequence[int], one_hot: Sequence[Sequence[int]]) -> Self:
        """Return those of a network.

        Parameters
        ----------
        places
            Positions of the inputs that trees see.
        one_hot
            For each feature in one-hot inputs, their positions. 3 to 254 of them become a code;
            others stay as they are.
        """
        categories = tuple(
            tuple(own) for own in one_hot if _FEWEST_CODES <= len(own) <= _MOST_CODES
        )
        coded = {place for own in categories for place in own}
        return cls(
            numbers=tuple(place for place in places if place not in coded), categories=categories
        )

    @property
    def categorical(self) -> list[bool]:
        """For each column of `take`, whether it is a code."""
        return [False] * len(self.numbers) + [True] * len(self.categories)

    def take(self, x: Array) -> Array:
        """Return columns [n, d] of inputs [n, n_in]: the numbers, then a code for each feature.

        A code is the position of the input that is 1 among the feature's, from 1, and 0 if none is.

        Parameters
        ----------
        x
            The inputs.
        """
        found = np.empty((len(x), len(self.numbers) + len(self.categories)), x.dtype)
        found[:, : len(self.numbers)] = x[:, list(self.numbers)]
        for column, own in enumerate(self.categories, len(self.numbers)):
            found[:, column] = x[:, list(own)] @ np.arange(1, len(own) + 1, dtype=x.dtype)
        return found
