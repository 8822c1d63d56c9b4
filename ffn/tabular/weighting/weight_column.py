"""The column of row weights, read beside the features.

A row of weight 2 counts as two equal rows would, and one of weight 0 as none: it is left out and
counted, as a row without a label is. So the training that follows meets only weights above 0.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.cells import trim
from ffn.tabular.columns.parsers import LARGEST, NumberParser
from ffn.tabular.csv.parsing.blocks import Block

__all__ = ["WEIGHTS", "WeightColumn", "usable_weights"]

Array = npt.NDArray[Any]

WEIGHTS = "weights.npy"
# Below it a weight would vanish beside those of other rows, which must be said by writing 0.
_SMALLEST = 1 / LARGEST


def usable_weights(weights: Array) -> Array:
    """Return which weights [n] are above 0 and within their range; NaN, no number, is not."""
    fit: Array = (weights >= _SMALLEST) & (weights <= LARGEST)
    return fit


class WeightColumn:
    """Reader of the weight of each row; a row that is trained on has one, or is refused.

    Parameters
    ----------
    name
        Header of the column.
    position
        Its position in a record.
    missing_values, decimal
        As in `DataSettings`.

    Attributes
    ----------
    weightless
        Number of rows of weight 0 so far.
    """

    def __init__(
        self, name: str, position: int, missing_values: Collection[str], decimal: str
    ) -> None:
        self._name, self._position = name, position
        self._missing = missing_values
        self._parser = NumberParser(missing_values, decimal)
        self.weightless = 0

    def read(self, block: Block) -> Array:
        """Return the weights of all rows of ``block``, float64 [n]; NaN for no number."""
        values: Array = self._parser.column(block, self._position).values
        self.weightless += int(np.count_nonzero(values == 0))
        return values

    def check(self, weights: Array, block: Block, where: str) -> None:
        """Refuse the first row whose weight cannot be used.

        Parameters
        ----------
        weights
            Weights of the rows of ``block``, from `read`, without those that are 0.
        block
            The rows.
        where
            Name of their file.

        Raises
        ------
        DataError
            A weight is missing, negative, no finite number, or beyond the range of weights.
        """
        for record in np.flatnonzero(~usable_weights(weights))[:1].tolist():
            text = trim(block.cell(self._position, record).decode())
            place = f"{where} row {int(block.rows[record])} (line {int(block.lines[record])})"
            raise DataError(
                f"{place}, column {quote(self._name)}: {self._problem(text, weights[record])} "
                "Correct the cell; a weight of 0 leaves the row out."
            )

    def _problem(self, text: str, weight: float) -> str:
        if text in self._missing:
            return "no weight, so it is unknown how much the row counts."
        if np.isnan(weight):
            return f"{quote(text)} is no weight, which is a finite number from 0 up."
        if weight < 0:
            return f"the weight {text} is negative; weights are numbers from 0 up."
        limits = f"{_SMALLEST:g} to {LARGEST:g}"
        return f"the weight {text} is beyond the range of weights, 0 or {limits}."
