"""Weight and group of each row of a labelled table, read as training reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.columns.parsers import NumberParser
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.splitting.hashing import text_digest
from ffn.tabular.weighting.weight_column import usable_weights

__all__ = ["PLAIN_ROWS", "KeyNames", "RowKeys"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class KeyNames:
    """Headers of the columns that say how much a row counts, and with which others it belongs.

    Attributes
    ----------
    weight, group
        The two columns; None where rows count alike, or are independent.
    asked
        Which of them, ``"weight"`` or ``"group"``, the table must have. A column that only the
        version's settings name may be missing: labelled tables often lack it.
    """

    weight: str | None = None
    group: str | None = None
    asked: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that there are, each once."""
        return tuple(dict.fromkeys(name for name in (self.weight, self.group) if name))

    def found_in(self, names: Sequence[str], where: str) -> KeyNames:
        """Return those of the columns that a table has.

        Parameters
        ----------
        names
            Headers of the table.
        where
            What it is called in errors.

        Raises
        ------
        DataError
            A column that was asked for is missing.
        """
        there: dict[str, str | None] = {"weight": self.weight, "group": self.group}
        for key, name in there.items():
            if name is None or name in names:
                continue
            if key in self.asked:
                raise DataError(
                    f"{where} has no column {quote(name)}, which {key} names"
                    f"{columns_found(name, names)}"
                )
            there[key] = None
        return KeyNames(weight=there["weight"], group=there["group"], asked=self.asked)


PLAIN_ROWS = KeyNames()
"""Rows that count alike and are independent."""


class RowKeys:
    """Reader of weights and groups, block by block.

    Parameters
    ----------
    names
        The columns, each of which the table has.
    header
        Headers of the table.
    missing_values
        Cell texts that mean "no value".
    decimal
        Decimal mark of the weights.
    """

    def __init__(
        self, names: KeyNames, header: Sequence[str], missing_values: Collection[str], decimal: str
    ) -> None:
        self._places = [
            None if name is None else list(header).index(name)
            for name in (names.weight, names.group)
        ]
        self._missing = missing_values
        self._parser = NumberParser(missing_values, decimal)
        self._weights: list[Array] = []
        self._groups: list[Array] = []

    def read(self, block: Block, usable: Array, left_out: Counter[str]) -> Array:
        """Keep the keys of the rows to judge, and return which these are [n].

        Rows of weight 0 are left out as in training; so are rows without a weight that can be
        used, and rows without a group.

        Parameters
        ----------
        block
            The rows.
        usable
            Booleans [n]: the rows that nothing else leaves out.
        left_out
            Number of rows by reason, which is counted on: ``weightless`` (weight 0), ``no_weight``
            and ``no_group``.
        """
        weight_at, group_at = self._places
        usable = usable.copy()
        weights: Array | None = None
        groups: Array | None = None
        if weight_at is not None:
            weights = self._parser.column(block, weight_at).values
            zero, fit = weights == 0, usable_weights(weights)
            left_out["weightless"] += int((usable & zero).sum())
            left_out["no_weight"] += int((usable & ~zero & ~fit).sum())
            usable &= fit
        if group_at is not None:
            texts = [trim(cell) for cell in block.cells(group_at)]
            there = np.array([text not in self._missing for text in texts], dtype=bool)
            left_out["no_group"] += int((usable & ~there).sum())
            usable &= there
            groups = np.array([text_digest(text) for text in texts], dtype=np.uint64)
        if weights is not None:
            self._weights.append(weights[usable])
        if groups is not None:
            self._groups.append(groups[usable])
        return usable

    def weights(self) -> Array | None:
        """Return the weights of all rows kept; None if rows count alike."""
        return np.concatenate(self._weights) if self._weights else None

    def groups(self) -> Array | None:
        """Return identifiers of the groups of all rows kept; None if they are independent."""
        return np.concatenate(self._groups) if self._groups else None
