"""Typed columns of dates or times of day as texts that are read as the same."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError
from ffn.tabular.cell_forms import held_in
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.columns.arrow_texts import as_texts, in_utc, is_text
from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.date_cells import date_numbers

__all__ = ["clock_texts", "date_texts"]


def date_texts(column: Any, form: DateForm, missing_values: Collection[str], where: str) -> Any:
    """Convert a column of dates to texts that are read as the same; null for no value.

    Parameters
    ----------
    column
        ``pyarrow`` array of plain values [n].
    form
        How the column wrote its dates in training.
    missing_values
        Texts that mean "no value". A typed date is missing if they contain it in any notation.
    where
        Name of the column in errors.

    Raises
    ------
    DataError
        The column holds no dates, or those with a time zone and training had none, or conversely.
    """
    of, held = column.type, held_in(form)
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    if is_text(of):
        return column
    moments = pa.types.is_date(of) or pa.types.is_timestamp(of)
    # A whole number may be a date's digits, such as 20250131.
    digits = bool(form.pattern) and (pa.types.is_integer(of) or pa.types.is_floating(of))
    if not (moments or digits):
        raise DataError(
            f"{where}: cells of the type {of}, where the model has {held}. Give the {held} that it "
            "was trained on."
        )
    zoned = pa.types.is_timestamp(of) and of.tz is not None
    if moments and zoned != form.zoned:
        has = "a time zone" if zoned else "no time zone"
        raise DataError(
            f"{where}: cells of the type {of} have {has}, where the model has {held}. Give them as "
            "they were in the training table."
        )
    texts = as_texts(in_utc(column), where, ".")
    absent = [number for text in missing_values if not math.isnan(number := form.number(text))]
    if absent and moments:
        known, _ = date_numbers([text or "" for text in texts.to_pylist()], form, ())
        texts = pc.if_else(pa.array(np.isin(known, absent)), pa.scalar(None, texts.type), texts)
    return texts


def clock_texts(column: Any, form: ClockForm, missing_values: Collection[str], where: str) -> Any:
    """Convert a column of times of day to texts that are read as the same; null for no value.

    Parameters
    ----------
    column
        ``pyarrow`` array of plain values [n].
    form
        How the column wrote its times in training.
    missing_values
        Texts that mean "no value". A typed time is missing if they contain it in any notation.
    where
        Name of the column in errors.

    Raises
    ------
    DataError
        The column holds no times of day.
    """
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    if is_text(column.type):
        return column
    if not pa.types.is_time(column.type):
        raise DataError(
            f"{where}: cells of the type {column.type}, where the model has {held_in(form)}. Give "
            f"the {held_in(form)} that it was trained on."
        )
    texts = as_texts(column, where, ".").dictionary_encode()
    plain = ClockForm()
    cells = texts.dictionary.to_pylist()
    known = [plain.number(text) for text in cells]
    absent = {number for text in missing_values if not math.isnan(number := form.number(text))}
    # A typed time has no AM or PM, and is none the less certain. 24:00 stays what no form reads.
    written = [
        None if number in absent else text if math.isnan(number) else form.written(number)
        for text, number in zip(cells, known, strict=True)
    ]
    return pa.array(written, pa.string()).take(texts.indices)
