"""Convert typed Arrow columns to the values that the same cells have in a CSV file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError, quote
from ffn.tabular.cell_forms import held_in
from ffn.tabular.cells import MISSING, UNKNOWN, category_codes, numbers
from ffn.tabular.columns.arrow_texts import (
    as_texts,
    decoded,
    in_utc,
    is_text,
    no_plain_values,
    plain_column,
    text_dictionaries,
)
from ffn.tabular.columns.formatted_column import formatted_numbers, refuse_bare_numbers
from ffn.tabular.columns.moment_texts import clock_texts, date_texts
from ffn.tabular.columns.parsers import missing_numbers
from ffn.tabular.columns.typed_values import Spellings, ValueKind
from ffn.tabular.dates.moments import DAY, SECOND
from ffn.tabular.schema import Feature

__all__ = [
    "category_texts",
    "codes_of_column",
    "number_texts",
    "numbers_of_column",
]

_CATEGORIES_NAMED = 5
_NANOSECONDS = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FLOAT_KINDS = {
    pa.float64(): ValueKind.FLOAT64,
    pa.float32(): ValueKind.FLOAT32,
    pa.float16(): ValueKind.FLOAT16,
}

Array = npt.NDArray[Any]


def category_texts(column: Any, spellings: Spellings, where: str, decimal: str = ".") -> Any:
    """Convert a categorical column to the texts that the training CSV has for its values.

    Texts are unchanged. A typed value becomes the category that stands for it; a value that is
    unknown from training becomes its plain text, which is no category.

    Parameters
    ----------
    column
        ``pyarrow`` array or chunked array [n].
    spellings
        Categories and missing values of the training column.
    where
        Name of the column in errors.
    decimal
        Decimal mark of the texts to return.

    Returns
    -------
    texts
        ``pyarrow`` array of texts [n].

    Raises
    ------
    DataError
        No category can be read as a value of the column's type, or several categories stand for
        one of its values.
    """
    column = plain_column(column, where)
    if is_text(column.type):
        return column
    try:
        encoded = column.dictionary_encode()
    except pa.ArrowNotImplementedError:
        raise no_plain_values(column.type, where) from None
    texts = _texts_of_values(encoded.dictionary, spellings, where, decimal)
    return pa.array(texts, pa.large_string()).take(encoded.indices)


def codes_of_column(
    column: Any, spellings: Spellings, missing_values: Collection[str], where: str
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return codes [n] of a categorical column, and its texts that are unknown from training.

    Parameters
    ----------
    column, spellings, where
        As for `category_texts`; errors are the same, too.
    missing_values
        Texts that mean "no value".
    """
    if (coded := text_dictionaries(column)) is not None:
        return _codes_of_dictionaries(coded, spellings, missing_values, where)
    encoded = category_texts(column, spellings, where).dictionary_encode()
    # The last code is for nulls.
    texts = [*decoded(encoded.dictionary, where), ""]
    codes = category_codes(texts, spellings.categories, missing_values)
    unknown = [
        text for text, code in zip(texts, codes[:-1].tolist(), strict=False) if code == UNKNOWN
    ]
    return codes[_places(encoded)], unknown


def _codes_of_dictionaries(
    chunks: Sequence[Any], spellings: Spellings, missing_values: Collection[str], where: str
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return what `codes_of_column` does: each entry of a dictionary is looked up once."""
    found, unknown = [np.zeros(0, dtype=np.int64)], dict[str, None]()
    for chunk in chunks:
        # The last code is for nulls.
        texts = [text or "" for text in decoded(chunk.dictionary, where)] + [""]
        codes = category_codes(texts, spellings.categories, missing_values)
        places = _places(chunk)
        own = codes[places]
        found.append(own)
        if (codes[:-1] == UNKNOWN).any():
            # Only those that a row has, by first appearance.
            in_rows = dict.fromkeys(places[(own == UNKNOWN) & (places >= 0)].tolist())
            unknown |= dict.fromkeys(texts[place] for place in in_rows)
    return np.concatenate(found), list(unknown)


def number_texts(
    column: Any, feature: Feature, missing_values: Sequence[str], where: str, decimal: str = "."
) -> Any:
    """Convert a numeric column to texts that are read as the same numbers; null for no value.

    Booleans become 1 and 0 if plain numbers in training ranged from 0 to 1; truth values keep their
    words, as in CSV. A number is missing if ``missing_values`` contain it in any notation.

    Parameters
    ----------
    column, where, decimal
        As for `category_texts`.
    feature
        The column in training.
    missing_values
        Texts that mean "no value".

    Raises
    ------
    DataError
        The column holds dates, times or nested values, or it holds numbers where training read
        texts with a percent sign. Where training had dates or times: as for `date_texts` and
        `clock_texts`.
    """
    column = plain_column(column, where)
    if feature.date_form is not None:
        return date_texts(column, feature.date_form, missing_values, where)
    if feature.clock_form is not None:
        return clock_texts(column, feature.clock_form, missing_values, where)
    if feature.number_format is not None:
        # Texts of a formatted column are read with its own decimal mark.
        decimal = feature.number_format.decimal
        if _is_number(column.type):
            refuse_bare_numbers(feature, where)
    if pa.types.is_temporal(column.type):
        raise DataError(
            f"{where}: cells of the type {column.type}, where the model has "
            f"{held_in(feature.form)}. Give the {held_in(feature.form)} that it was trained on."
        )
    is_flag = feature.form is None and (feature.minimum, feature.maximum) == (0, 1)
    if is_flag and pa.types.is_boolean(column.type):
        return pc.if_else(column, "1", "0")
    texts = as_texts(column, where, decimal)
    absent = missing_numbers(missing_values, decimal)
    if len(absent) and _is_number(column.type):
        means_missing = pa.array(np.isin(_float64(column, where), absent))
        texts = pc.if_else(means_missing, pa.scalar(missing_values[0], texts.type), texts)
    return texts


def numbers_of_column(
    column: Any, feature: Feature, missing_values: Sequence[str], where: str
) -> tuple[npt.NDArray[np.float64], Array]:
    """Return numbers [n] of a numeric column, and a mask [n] of the invalid cells.

    Missing and invalid cells are NaN.

    Parameters
    ----------
    column, feature, missing_values, where
        As for `number_texts`; errors are the same, too.
    """
    column = plain_column(column, where)
    if _is_number(column.type) and (feature.form is None or feature.number_format is not None):
        refuse_bare_numbers(feature, where)
        values = _float64(column, where)
        wrong = np.isinf(values)
        absent = missing_numbers(missing_values, ".")
        return np.where(np.isin(values, absent), np.nan, values) if len(absent) else values, wrong
    encoded = number_texts(column, feature, missing_values, where).dictionary_encode()
    cells, form = decoded(encoded.dictionary, where), feature.form
    known, bad = (
        numbers(cells, missing_values)
        if form is None
        else formatted_numbers(cells, form, missing_values)
    )
    # The last entry is for nulls.
    known, is_bad = np.append(known, np.nan), np.zeros(len(known) + 1, dtype=bool)
    is_bad[bad] = True
    places = _places(encoded)
    return known[places], is_bad[places]


def _texts_of_values(
    distinct: Any, spellings: Spellings, where: str, decimal: str
) -> Sequence[str | None]:
    """Return the category that stands for each value, or the value's plain text."""
    kind, values = _values(distinct, where)
    plain = as_texts(in_utc(distinct), where, decimal).to_pylist()
    texts: list[str | None] = []
    for value, text in zip(values, plain, strict=True):
        codes = spellings.candidates(kind, value)
        if text is None:
            texts.append(None)
        elif not codes:
            if not spellings.stand_for(kind):
                raise DataError(
                    f"{where}: cells of the type {distinct.type}, such as {quote(text)}, where "
                    f"the model has {_named(spellings.categories)}, none of which are {kind}. "
                    "Give the texts of the training table."
                )
            texts.append(text)
        elif len(codes) > 1:
            other = {UNKNOWN: "another value", MISSING: "a missing value"}
            meant = [other.get(code) or quote(spellings.text(code)) for code in codes]
            raise DataError(
                f"{where}: cells of the type {distinct.type} do not tell whether {quote(text)} is "
                f"{' or '.join(meant)}. Give the texts of the training table."
            )
        else:
            texts.append(spellings.text(codes[0]))
    return texts


def _values(distinct: Any, where: str) -> tuple[ValueKind, list[Any]]:
    """Return the kind of the values, and the values as `Spellings.candidates` takes them."""
    of = distinct.type
    if pa.types.is_boolean(of):
        return ValueKind.TRUTH, distinct.to_pylist()
    if pa.types.is_integer(of) or pa.types.is_decimal(of):
        return ValueKind.NUMBER, distinct.to_pylist()
    if of in _FLOAT_KINDS:
        return _FLOAT_KINDS[of], [None if x is None else float(x) for x in distinct.to_pylist()]
    if pa.types.is_date32(of):
        return ValueKind.MOMENT, _times(distinct, pa.int32(), DAY)
    if pa.types.is_date64(of):
        return ValueKind.MOMENT, _times(distinct, pa.int64(), _NANOSECONDS["ms"])
    if pa.types.is_timestamp(of):
        kind = ValueKind.MOMENT if of.tz is None else ValueKind.INSTANT
        return kind, _times(distinct, pa.int64(), _NANOSECONDS[of.unit])
    if pa.types.is_time(of):
        width = pa.int32() if pa.types.is_time32(of) else pa.int64()
        return ValueKind.TIME, _times(distinct, width, _NANOSECONDS[of.unit])
    if pa.types.is_null(of):
        return ValueKind.NUMBER, distinct.to_pylist()
    raise no_plain_values(of, where)


def _times(values: Any, width: Any, nanoseconds: int) -> list[int | None]:
    # Python integers: nanoseconds of the year 9999 exceed 64 bits.
    return [None if x is None else x * nanoseconds for x in values.view(width).to_pylist()]


def _places(encoded: Any) -> Array:
    """Return each cell's index [n] in the dictionary, -1 for null."""
    # Cast, because some programs write indices without a sign, which have no -1.
    found: Array = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
    return found


def _is_number(of: Any) -> bool:
    kinds = pa.types
    numbers_or_none = (kinds.is_integer, kinds.is_floating, kinds.is_decimal, kinds.is_null)
    return any(test(of) for test in numbers_or_none)


def _float64(column: Any, where: str) -> Array:
    """Return the numbers [n] that a CSV file of the same cells would give, NaN for null."""
    if not (pa.types.is_integer(column.type) or column.type == pa.float64()):
        # Widening a 32-bit 0.1 would give 0.10000000149.
        column = as_texts(column, where, ".")
    found: Array = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return found


def _named(categories: Sequence[str]) -> str:
    shown = ", ".join(quote(text, 30) for text in categories[:_CATEGORIES_NAMED])
    return f"{shown}{', …' if len(categories) > _CATEGORIES_NAMED else ''}"
