"""Convert the records of a file whose columns are known to numbers, or to rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import MISSING, UNKNOWN, present_texts
from ffn.tabular.columns.categories import CategoryReader
from ffn.tabular.columns.parsers import NumberParser
from ffn.tabular.csv.cell_reasons import reason_of_cell, reject_detail
from ffn.tabular.csv.parsing.blocks import Block, pick
from ffn.tabular.csv.parsing.constant_block import ConstantBlock
from ffn.tabular.csv.parsing.rejects import Reason, Reject, shorten
from ffn.tabular.schema import Feature, TextEncoder

__all__ = ["Contract", "TypedBlock", "plausible_range"]


@dataclass(frozen=True, eq=False)
class TypedBlock:
    """Records [n] in which every feature is valid, with their values.

    Attributes
    ----------
    block
        The records.
    numeric
        Numbers, then the components of the texts, float64 [n, F + T D]; NaN for a missing value,
        where training had missing values, too.
    codes
        Category codes, int64 [n, G]: a category, ``UNKNOWN``, or ``MISSING`` where training had
        missing values, too.
    rejects
        The other records of the same byte range, in order.
    """

    block: Block
    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    rejects: list[Reject]


@dataclass(frozen=True)
class Contract:
    """The columns of a file in which the features are, and how to read them.

    Attributes
    ----------
    numeric, categorical, texts
        Features in the order of the schema, each with the position of its column in the file.
    missing_values
        Cell texts that mean "no value".
    readers
        Readers of the categorical features [G].
    decimal, on_unknown
        As in `Options`.
    encoder
        How texts are read; None, the default, if there are none.
    columns
        Number of columns of the file. Positions from here on are those of ``given``.
    given
        Cells, as UTF-8, that every record has besides its own.
    """

    numeric: tuple[tuple[Feature, int], ...]
    categorical: tuple[tuple[Feature, int], ...]
    missing_values: tuple[str, ...]
    readers: tuple[CategoryReader, ...]
    decimal: str = "."
    on_unknown: str = "score"
    texts: tuple[tuple[Feature, int], ...] = ()
    encoder: TextEncoder | None = None
    columns: int = 0
    given: tuple[bytes, ...] = ()

    def with_cells(self, block: Block, column: int) -> Block:
        """Return ``block``, or, for a ``column`` that the file lacks, one with its given cells."""
        if not self.given or column < self.columns:
            return block
        return ConstantBlock(self.given[column - self.columns], len(block))

    def cells(self, block: Block, column: int) -> list[str]:
        """Return the texts [n] of ``column``, in ``block`` or given."""
        return self.with_cells(block, column).cells(column)

    def read(self, block: Block) -> TypedBlock:
        """Return the values of the features in ``block``; reject records with an invalid cell."""
        rejects: dict[int, Reject] = {}

        def reject(feature: Feature, column: int, records: Sequence[int], reason: Reason) -> None:
            for i in records:
                if i in rejects:
                    continue
                place = int(block.rows[i]), int(block.lines[i]), block.lines_of(i)
                value = shorten(self.with_cells(block, column).cell(column, i))
                why = reject_detail(reason, feature)
                rejects[i] = Reject(*place, feature.name, value, reason, why)

        first, width = len(self.numeric), 0 if self.encoder is None else self.encoder.width
        numeric = np.empty((first + len(self.texts) * width, len(block)))
        for f, (feature, column) in enumerate(self.numeric):
            own = self.with_cells(block, column)
            found = self._parser.column(own, column, feature.form)
            numeric[f] = found.values
            reject(feature, column, found.wrong, reason_of_cell(feature))
            if not feature.missing:
                reject(feature, column, found.missing.tolist(), Reason.MISSING_VALUE)
        codes = np.empty((len(self.categorical), len(block)), dtype=np.int64)
        for g, (feature, column) in enumerate(self.categorical):
            codes[g] = self.readers[g].read(self.with_cells(block, column), column)
            if not feature.missing:
                missing = np.flatnonzero(codes[g] == MISSING).tolist()
                reject(feature, column, missing, Reason.MISSING_VALUE)
            if self.on_unknown == "reject":
                unknown = np.flatnonzero(codes[g] == UNKNOWN).tolist()
                reject(feature, column, unknown, Reason.UNKNOWN_CATEGORY)
        for t, (feature, column) in enumerate(self.texts):
            cells = present_texts(self.cells(block, column), self.missing_values)
            if self.encoder is not None:
                numeric[first : first + width] = self.encoder.components(t, cells).T
            first += width
            if not feature.missing:
                missing = [i for i, cell in enumerate(cells) if cell is None]
                reject(feature, column, missing, Reason.MISSING_VALUE)
        if not rejects:
            return TypedBlock(block, numeric.T, codes.T, list(block.rejects))

        good = np.ones(len(block), dtype=bool)
        good[list(rejects)] = False
        return TypedBlock(
            block.take(good),
            pick(numeric, good).T,
            pick(codes, good).T,
            sorted([*block.rejects, *rejects.values()], key=lambda found: found.row),
        )

    @cached_property
    def _parser(self) -> NumberParser:
        return NumberParser(self.missing_values, self.decimal)


def plausible_range(feature: Feature) -> tuple[float, float]:
    """Return the range of training, extended by its own width on either side."""
    if feature.minimum is None or feature.maximum is None:
        return -np.inf, np.inf
    width = feature.maximum - feature.minimum
    return feature.minimum - width, feature.maximum + width
