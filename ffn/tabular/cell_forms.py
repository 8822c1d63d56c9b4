"""How the cells of a column are turned into numbers, as one text declares it."""

from __future__ import annotations

import re
from functools import lru_cache

from ffn.errors import quote
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.date_form import DateForm
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.truth_form import TRUTH, TruthForm

__all__ = ["CellForm", "as_cell", "cell_form", "expected_in", "form_text", "held_in", "written_as"]

CellForm = NumberFormat | DateForm | ClockForm | TruthForm
"""A form has a ``number(text)`` of a trimmed cell, NaN if the cell is none in this form."""


@lru_cache(256)
def cell_form(declared: str) -> CellForm:
    """Return the form that a text of ``[data.formats]``, or of a schema, declares.

    Parameters
    ----------
    declared
        The number 1234.5 as the column writes it, what `DateForm.of` or `ClockForm.of` takes, or
        `TRUTH`.

    Raises
    ------
    ValueError
        It is none of these.
    """
    if declared == TRUTH:
        return TruthForm()
    if (clock := ClockForm.of(declared)) is not None:
        return clock
    # A number's example has these digits; a date's form has directives, or is a word.
    directives = re.search("%[A-Za-z]", declared)
    if "234" not in declared and (directives or declared.startswith("iso")):
        return DateForm.of(declared)
    try:
        return NumberFormat.of(declared)
    except ValueError as error:
        raise ValueError(
            f'{error}; or, for dates, "iso" or a format such as "%d/%m/%Y"; or, for times of '
            f'day, "time" or "time am/pm"; or "{TRUTH}"'
        ) from None


def form_text(form: CellForm) -> str:
    """Return the text that declares ``form``; the inverse of `cell_form`."""
    return form.example if isinstance(form, NumberFormat) else form.text


def as_cell(number: float, form: CellForm | None) -> str:
    """Return a value for a reader: a date in ISO 8601, a time, a truth value, or a number as it is.

    Parameters
    ----------
    number
        What was read of a cell.
    form
        How its column writes values; None for plain numbers.
    """
    if form is None or isinstance(form, NumberFormat):
        return repr(number).removesuffix(".0")
    return form.written(number)


def expected_in(form: CellForm) -> str:
    """Return what every cell of a column in this form is, such as a number in some format."""
    if isinstance(form, NumberFormat):
        return f"a number in the format {quote(form.example)}"
    if isinstance(form, TruthForm):
        return "true or false, in one of their spellings"
    if isinstance(form, ClockForm):
        if form.halves:
            return 'a time of day with AM or PM, such as "8:30 AM"'
        return 'a time of day such as "08:30" or "23:59:59.5", from "00:00" on and before "24:00"'
    if form.pattern:
        return f"a date written as {quote(form.pattern)}, or in ISO 8601"
    if form.zoned:
        return 'a time with its zone such as "2025-01-31 10:30Z" or "2025-01-31T10:30+02:00"'
    return 'a date such as "2025-01-31" or "2025-01-31 10:30", without a time zone'


def held_in(form: CellForm | None) -> str:
    """Return what a column in this form holds: numbers, dates, times of day or truth values."""
    if isinstance(form, DateForm):
        return "times with a zone" if form.zoned else "dates without a time zone"
    if isinstance(form, ClockForm):
        return "times of day"
    return "truth values" if isinstance(form, TruthForm) else "numbers"


def written_as(declared: str) -> str:
    """Return what a column holds, and how, for a message: ``numbers written as "$1,234.50"``."""
    return f"{held_in(cell_form(declared))} written as {quote(declared)}"
