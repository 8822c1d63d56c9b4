"""A file's columns matched to the schema, and its records to numbers or rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, did_you_mean, quote
from ffn.tabular.cells import MISSING, UNKNOWN, is_number, numbers
from ffn.tabular.columns.categories import CategoryReader
from ffn.tabular.columns.decimals import aligned_decimals, plain_decimals
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.columns.parsers import missing_numbers
from ffn.tabular.csv.header import Header, check_distinct, separator_hint
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.csv.parsing.blocks import Block, pick
from ffn.tabular.csv.parsing.fixed_width import FixedWidthBlock
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Feature, Schema

__all__ = ["Contract", "TypedBlock", "detail", "match_header"]


@dataclass(frozen=True, eq=False)
class TypedBlock:
    """Records that keep the contract [n], typed.

    Attributes
    ----------
    block
        The records themselves.
    numeric
        float64 [n, F], NaN where a cell is missing and may be.
    codes
        int64 [n, G]: a category, ``MISSING`` where that may be, or ``UNKNOWN``.
    rejects
        The records of the same stretch that do not keep it, in order.
    """

    block: Block
    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    rejects: list[Reject]


@dataclass(frozen=True)
class Contract:
    """Where in a file each feature stands.

    Attributes
    ----------
    numeric, categorical
        Features in the schema's order, each with its column in the file.
    missing_values
        Cell texts that mean "no value".
    readers
        Of the categorical features.
    decimal, on_unknown
        As in `Options`.
    """

    numeric: tuple[tuple[Feature, int], ...]
    categorical: tuple[tuple[Feature, int], ...]
    missing_values: tuple[str, ...]
    readers: tuple[CategoryReader, ...]
    decimal: str = "."
    on_unknown: str = "score"

    def read(self, block: Block) -> TypedBlock:
        """Type the features of every record; reject records with a cell that has no meaning."""
        rejects: dict[int, Reject] = {}

        def reject(feature: Feature, column: int, records: Sequence[int], reason: Reason) -> None:
            for i in records:
                if i in rejects:
                    continue
                place = int(block.rows[i]), int(block.lines[i]), block.lines_of(i)
                value = shorten(block.cell(column, i))
                why = detail(reason, feature)
                rejects[i] = Reject(*place, feature.name, value, reason, why)

        numeric = np.empty((len(self.numeric), len(block)))
        for f, (feature, column) in enumerate(self.numeric):
            numeric[f], missing, wrong = self._numbers(block, column, feature)
            reject(feature, column, wrong, Reason.NOT_A_NUMBER)
            if not feature.missing:
                reject(feature, column, missing, Reason.MISSING_VALUE)
        codes = np.empty((len(self.categorical), len(block)), dtype=np.int64)
        for g, (feature, column) in enumerate(self.categorical):
            codes[g] = self.readers[g].read(block, column)
            if not feature.missing:
                missing = np.flatnonzero(codes[g] == MISSING).tolist()
                reject(feature, column, missing, Reason.MISSING_VALUE)
            if self.on_unknown == "reject":
                unknown = np.flatnonzero(codes[g] == UNKNOWN).tolist()
                reject(feature, column, unknown, Reason.UNKNOWN_CATEGORY)
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
    def _missing_numbers(self) -> list[float]:
        found: list[float] = missing_numbers(self.missing_values, self.decimal).tolist()
        return found

    def _numbers(
        self, block: Block, column: int, feature: Feature
    ) -> tuple[npt.NDArray[np.float64], list[int], list[int]]:
        """Numbers of a column [n], NaN where there is none: missing cells, and mistakes."""
        if (form := feature.number_format) is not None:
            return self._formatted(block, column, form)
        if (values := self._aligned(block, column)) is not None:
            return values, [], []
        starts, ends = block.bounds(column)
        values, plain = plain_decimals(block.endings, starts, ends, self.decimal)
        # "-999" may mean "no value" where "-999.0" does not: such cells are judged by their text.
        for value in self._missing_numbers:
            plain &= values != value
        if plain.all():
            return values, [], []
        others = np.flatnonzero(~plain)
        if "" in self.missing_values:
            empty = starts[others] == ends[others]
            others, missing = others[~empty], others[empty].tolist()
        else:
            missing = []
        cells = [block.cell(column, i).decode() for i in others.tolist()]
        values[others], wrong = numbers(cells, self.missing_values, self.decimal)
        absent = np.isnan(values[others])
        absent[wrong] = False
        return values, sorted(missing + others[absent].tolist()), others[wrong].tolist()

    def _formatted(
        self, block: Block, column: int, form: NumberFormat
    ) -> tuple[npt.NDArray[np.float64], list[int], list[int]]:
        values, wrong = formatted_numbers(block.cells(column), form, self.missing_values)
        absent = np.isnan(values)
        absent[wrong] = False
        return values, np.flatnonzero(absent).tolist(), wrong

    def _aligned(self, block: Block, column: int) -> npt.NDArray[np.float64] | None:
        """Numbers of a column whose cells stand one below the other, none of them missing."""
        if not isinstance(block, FixedWidthBlock):
            return None
        values = aligned_decimals(block.fixed_width_cells(column), self.decimal)
        if values is not None:
            for value in self._missing_numbers:
                if (values == value).any():
                    return None
        return values


def detail(reason: Reason, feature: Feature) -> str:
    """Return in words why a cell of a feature is rejected."""
    if reason is Reason.NOT_A_NUMBER and feature.format is not None:
        return f"no number written as {quote(feature.format)}"
    return DETAILS[reason]


def match_header(
    header: Header,
    schema: Schema,
    name: str,
    added: Sequence[str],
    *,
    delimiter: str = ",",
    decimal: str = ".",
    on_unknown: str = "score",
) -> Contract:
    """Find the features' columns by name. Order does not matter; other columns pass through.

    Parameters
    ----------
    name
        What errors call the file.
    added
        Columns that scoring will add.
    delimiter, decimal, on_unknown
        As in `Options`.

    Raises
    ------
    DataError
        A feature's column is missing or stands twice, the file has one of ``added`` already, or
        all of it is one line that holds numbers.
    """
    names = [feature.name for feature in schema.features]
    for feature in schema.features:
        if feature.name not in header.names:
            # What is another feature's own column is not this one's by another name.
            known = set(names)
            others = [column for column in header.names if column not in known]
            hint = (
                header_hint(header, name, delimiter, names)
                or separator_hint(header, names)
                or did_you_mean(feature.name, others)
            )
            raise DataError(
                f"{name} has no column {quote(feature.name)}, which the model needs.{hint}"
                f"{'' if hint else _columns_found(header)}"
            )
    check_distinct(header, names, name)
    for column in added:
        if column in header.names:
            raise DataError(
                f"{name} has a column {quote(column)} already, which scoring would add. "
                "Rename or remove it; is the file scored already?"
            )
    number = next((column for column in header.names if is_number(column, decimal)), None)
    if not header.line_end and number is not None:
        raise DataError(
            f"{name} has no line end, so all of it is the header, in which {quote(number)} names a "
            "column. If its line ends were lost, give every record a line of its own."
        )
    position = {column: place for place, column in enumerate(header.names)}
    return Contract(
        tuple((feature, position[feature.name]) for feature in schema.numeric),
        tuple((feature, position[feature.name]) for feature in schema.categorical),
        schema.missing_values,
        tuple(
            CategoryReader(feature.categories, schema.missing_values)
            for feature in schema.categorical
        ),
        decimal,
        on_unknown,
    )


# Letters of a file in a message, as in the value of a reject.
_MOST_TOLD = 200


def _columns_found(header: Header) -> str:
    shown: list[str] = []
    for column in header.names[:10]:
        name = quote(column, limit=30)
        # No message tells more of a file than a rejected cell would.
        if sum(map(len, shown)) + len(name) > _MOST_TOLD:
            break
        shown.append(name)
    more = ", …" if len(header.names) > len(shown) else ""
    return f" It has {', '.join(shown)}{more}."
