"""Match a file's columns to the features of a model, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ffn.errors import DataError, did_you_mean, quote
from ffn.scoring.rows.contract import Contract
from ffn.tabular.cells import is_number
from ffn.tabular.columns.categories import CategoryReader
from ffn.tabular.csv.header import Header, check_distinct, separator_hint
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.schema import Schema

__all__ = ["match_header", "with_given"]


def match_header(
    header: Header,
    schema: Schema,
    name: str,
    added: Sequence[str],
    *,
    delimiter: str = ",",
    decimal: str = ".",
    on_unknown: str = "score",
    given: Sequence[tuple[str, str]] = (),
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
    given
        Names and cells of columns that the file lacks and every record has; none by default.

    Raises
    ------
    DataError
        A feature's column is missing or occurs twice, the file already has one of the ``added``
        columns or one of the ``given``, or the whole file is a single line that contains numbers.
    """
    columns = len(header.names)
    header = with_given(header, given, name)
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
        tuple((feature, position[feature.name]) for feature in schema.texts),
        schema.encoder,
        columns,
        tuple(cell.encode() for _, cell in given),
    )


def with_given(header: Header, given: Sequence[tuple[str, str]], name: str) -> Header:
    """Return a header with further columns behind those of the file.

    Parameters
    ----------
    header
        Header of the file.
    given
        Names and cells of the further columns.
    name
        Name of the file in errors.

    Raises
    ------
    DataError
        The file has a column of that name.
    """
    for column, _ in given:
        if column in header.names:
            raise DataError(
                f"{name} has a column {quote(column)}, which its folders name, too. Rename one."
            )
    return replace(header, names=(*header.names, *(column for column, _ in given)))


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
