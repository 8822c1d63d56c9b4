"""Detect dates, times of day and truth values, which training reads if the settings say how."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace

from ffn.errors import quote
from ffn.profiling.column_profile import Column
from ffn.tabular.cell_forms import CellForm
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.columns.inference import names_rows
from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.clock_recognition import TimesFound, TimesInDoubt, recognise_times
from ffn.tabular.dates.date_recognition import DatesFound, DatesInDoubt, recognise_dates
from ffn.tabular.truth_form import TruthForm, truth_words

__all__ = ["read_dates_and_truths"]


TIMES_OF_DAY = "times of day"
_HELD: dict[type[CellForm], str] = {
    DateForm: "dates",
    ClockForm: TIMES_OF_DAY,
    TruthForm: "truth values",
}


def read_dates_and_truths(column: Column, given: CellForm | None) -> tuple[Column, str, str]:
    """Detect dates, times of day or truth values.

    Parameters
    ----------
    column
        The column, without a format.
    given
        Form specified by the user; None to detect it.

    Returns
    -------
    column
        With its form, if there is one; with a hint if it may hold times of day and is short.
    why
        What was recognised, as a clause; empty if nothing was.
    doubt
        Why a column of dates or times is not read as such, as a predicate; may be empty.
    """
    if given is not None:
        column = replace(column, form=given)
        return column, "" if column.is_number else f"{_HELD[type(given)]}, as given", ""
    rows = Counter(column.texts)
    if truth_words(set(rows)):
        shown = " and ".join(quote(text) for text in sorted(rows, key=str.lower)[:2])
        return replace(column, form=TruthForm()), f"truth values, written as {shown}", ""
    found = recognise_dates(rows)
    if isinstance(found, DatesFound):
        ends = [found.form.written(end) for end in (found.first, found.last)]
        return replace(column, form=found.form), f"dates, {ends[0]} to {ends[1]}", ""
    if isinstance(found, DatesInDoubt):
        options = [shlex.join(["--format", f"{column.name}={form.text}"]) for form in found.forms]
        remedy = f" ({' or '.join(options)} reads it)" if options else ""
        return column, "", f"{found.text}{remedy}"
    return _times_of_day(column, rows)


def _times_of_day(column: Column, rows: Counter[str]) -> tuple[Column, str, str]:
    times = recognise_times(rows)
    if isinstance(times, TimesFound):
        ends = [times.form.written(end) for end in (times.first, times.last)]
        return replace(column, form=times.form), f"{TIMES_OF_DAY}, {ends[0]} to {ends[1]}", ""
    if isinstance(times, TimesInDoubt):
        remedy = ""
        if times.form is not None:
            given = shlex.join(["--format", f"{column.name}={times.form.text}"])
            remedy = f" ({given} reads it as times of day)"
        if names_rows(column.distinct, len(column.texts)):
            return column, "", f"{times.text}{remedy}"
        # A short list of them is as good as any categories.
        told = f"column {quote(column.name)} {times.text}; it is read as {column.distinct} "
        return replace(column, hint=f"{told}categories{remedy}"), "", ""
    return column, "", ""
