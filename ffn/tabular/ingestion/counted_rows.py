"""The rows of a training table that count: those with a label and a weight above 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.ingestion.column_roles import ColumnRoles
from ffn.tabular.ingestion.text_table import no_rows
from ffn.tabular.training_table.label_reading import LabelReading, Resolved, toml_remedy

__all__ = ["CountedBlock", "CountedRows"]

Array = npt.NDArray[Any]


class CountedBlock(NamedTuple):
    """Rows of a block that count.

    Attributes
    ----------
    block
        The rows.
    label_codes
        Their labels [n], as positions among the different texts of the column.
    weights
        Their weights, float64 [n]; None without a column of weights.
    """

    block: Block
    label_codes: Array
    weights: Array | None


class CountedRows:
    """Reader of labels and weights, which leaves out rows without them and keeps their numbers.

    Parameters
    ----------
    roles
        Roles of the table's columns.
    path
        The table, for errors.

    Attributes
    ----------
    left_out
        Row numbers in their file, an array for each block that had such rows.
    """

    def __init__(self, roles: ColumnRoles, path: Path) -> None:
        choice = roles.choice
        missing = choice.missing_values if choice.missing_labels is None else choice.missing_labels
        self._reading = LabelReading(labels=choice.labels, missing=missing, decimal=choice.decimal)
        self._labels, self._weights = roles.labels(), roles.weights()
        self._path, self._choice = path, choice
        self._is_label: list[bool] = []
        self.left_out: list[Array] = []

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self._weights is not None

    @property
    def label_texts(self) -> list[str]:
        """Different texts of the label column so far, by code."""
        return self._labels.texts

    def described(self) -> dict[str, Any]:
        """Return what the description of the table says of weights; nothing without them."""
        if self._weights is None:
            return {}
        return {"weight": self._choice.weight, "weightless": self._weights.weightless}

    def none_counts(self) -> DataError:
        """Return the error for a table of which no row counts."""
        if self._weights and self._weights.weightless:
            return DataError(
                f"{self._path.name}, column {quote(self._choice.weight)}: no row with a label "
                "has a weight above 0, so there is nothing to learn from. Correct the column."
            )
        if not self._labels.texts:
            return no_rows(self._path)
        return self._reading.no_label(self._counts(), self._where())

    def resolve(self) -> Resolved:
        """Return the class of every label.

        Raises
        ------
        DataError
            A label needs a decision.
        """
        return self._reading.resolve(self._counts(), self._where(), toml_remedy)

    def of(self, blocks: Iterable[Block], where: str) -> Iterator[CountedBlock]:
        """Yield those rows of the blocks that count.

        Of rows of weight 0 nothing is read, and of rows without a label nothing more.

        Parameters
        ----------
        blocks
            Blocks of a file.
        where
            Name of the file.

        Raises
        ------
        DataError
            A row has a label and no usable weight.
        """
        # Of this file, all texts may be known from another one.
        every = all(self._is_label)
        for block, weights in self._weighed(blocks):
            codes = self._labels.read(block)
            new = self._labels.texts[len(self._is_label) :]
            found = list(map(self._reading.is_label, new))
            self._is_label += found
            every = every and all(found)
            if not every:
                kept = np.array(self._is_label)[codes]
                self.left_out.append(np.asarray(block.rows)[~kept])
                if not kept.any():
                    continue
                block, codes = block.take(kept), codes[kept]
                weights = None if weights is None else weights[kept]
            if self._weights and weights is not None:
                self._weights.check(weights, block, where)
            yield CountedBlock(block, codes, weights)

    def _weighed(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Array | None]]:
        """Yield blocks without the rows of weight 0, with the weights [n] of the others."""
        for block in blocks:
            if not self._weights:
                yield block, None
                continue
            weights = self._weights.read(block)
            kept = weights != 0
            if not kept.all():
                self.left_out.append(np.asarray(block.rows)[~kept])
            if kept.any():
                yield block.take(kept), weights[kept]

    def _counts(self) -> dict[str, int]:
        return dict(zip(self._labels.texts, self._labels.rows.tolist(), strict=True))

    def _where(self) -> str:
        return f"{self._path.name}, column {quote(self._choice.target)}"
