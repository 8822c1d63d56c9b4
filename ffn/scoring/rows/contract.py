"""Match a file's columns to the schema, and convert its records to numbers or rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, did_you_mean, quote
from ffn.tabular.cell_forms import expected_in
from ffn.tabular.cells import MISSING, UNKNOWN, is_number
from ffn.tabular.columns.categories import CategoryReader
from ffn.tabular.columns.parsers import NumberParser
from ffn.tabular.csv.header import Header, check_distinct, separator_hint
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.csv.parsing.blocks import Block, pick
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.truth_form import TruthForm

__all__ = [
    "Contract",
    "TypedBlock",
    "match_header",
    "plausible_range",
    "reason_of_cell",
    "reject_detail",
]


@dataclass(frozen=True, eq=False)
class TypedBlock:
    """Records [n] in which every feature is valid, with their values.

    Attributes
    ----------
    block
        The records.
    numeric
        Numbers, float64 [n, F]; NaN for a missing value, where training had missing values,
        too.
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
    numeric, categorical
        Features in the order of the schema, each with the position of its column in the file.
    missing_values
        Cell texts that mean "no value".
    readers
        Readers of the categorical features [G].
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
        """Return the values of the features in ``block``; reject records with an invalid cell."""
        rejects: dict[int, Reject] = {}

        def reject(feature: Feature, column: int, records: Sequence[int], reason: Reason) -> None:
            for i in records:
                if i in rejects:
                    continue
                place = int(block.rows[i]), int(block.lines[i]), block.lines_of(i)
                value = shorten(block.cell(column, i))
                why = reject_detail(reason, feature)
                rejects[i] = Reject(*place, feature.name, value, reason, why)

        numeric = np.empty((len(self.numeric), len(block)))
        for f, (feature, column) in enumerate(self.numeric):
            found = self._parser.column(block, column, feature.form)
            numeric[f] = found.values
            reject(feature, column, found.wrong, reason_of_cell(feature))
            if not feature.missing:
                reject(feature, column, found.missing.tolist(), Reason.MISSING_VALUE)
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
    def _parser(self) -> NumberParser:
        return NumberParser(self.missing_values, self.decimal)


def reject_detail(reason: Reason, feature: Feature) -> str:
    """Return in words why a cell of ``feature`` is rejected for ``reason``."""
    if reason is Reason.NOT_A_NUMBER and feature.format is not None:
        return f"no number written as {quote(feature.format)}"
    if reason is Reason.NOT_A_DATE and feature.form is not None:
        return f"not {expected_in(feature.form)}"
    return DETAILS[reason]


def reason_of_cell(feature: Feature) -> Reason:
    """Return the reason for which a cell is rejected that is no value of a numeric ``feature``."""
    if feature.date_form is not None:
        return Reason.NOT_A_DATE
    if isinstance(feature.form, TruthForm):
        return Reason.NOT_TRUE_OR_FALSE
    return Reason.NOT_A_NUMBER


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
    header
        Header of the file.
    schema
        Schema of the model.
    name
        Name of the file in errors.
    added
        Names of the columns that scoring will add.
    delimiter, decimal, on_unknown
        As in `Options`.

    Raises
    ------
    DataError
        A feature's column is missing or occurs twice, the file already has one of the ``added``
        columns, or the whole file is a single line that contains numbers.
    """
    names = [feature.name for feature in schema.features]
    for feature in schema.features:
        if feature.name not in header.names:
            # A column that belongs to another feature is not suggested for this one.
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
                f"{name} already has a column {quote(column)}, which scoring would add. "
                "Rename or remove it; has the file been scored already?"
            )
    number = next((column for column in header.names if is_number(column, decimal)), None)
    if not header.line_end and number is not None:
        raise DataError(
            f"{name} has no line end, so all of it is the header, with {quote(number)} as the name "
            "of a column. If line ends were lost, put every record on a line of its own."
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


# Characters of a file that a message quotes at most, as in the value of a reject.
_MOST_TOLD = 200


def _columns_found(header: Header) -> str:
    shown: list[str] = []
    for column in header.names[:10]:
        name = quote(column, limit=30)
        # A message reveals no more of a file than a rejected cell would.
        if sum(map(len, shown)) + len(name) > _MOST_TOLD:
            break
        shown.append(name)
    more = ", …" if len(header.names) > len(shown) else ""
    return f" It has {', '.join(shown)}{more}."


def plausible_range(feature: Feature) -> tuple[float, float]:
    """Return the range of training, extended by its own width on either side."""
    if feature.minimum is None or feature.maximum is None:
        return -np.inf, np.inf
    width = feature.maximum - feature.minimum
    return feature.minimum - width, feature.maximum + width
