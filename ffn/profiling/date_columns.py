"""Detect columns of dates and of truth values, which training reads if the settings say how."""

from __future__ import annotations

import shlex
from dataclasses import replace

from ffn.errors import quote
from ffn.profiling.column_profile import Column
from ffn.tabular.dates.date_recognition import DatesFound, DatesInDoubt, recognise_dates
from ffn.tabular.truth_form import TruthForm, truth_words

__all__ = ["read_dates_and_truths"]


def read_dates_and_truths(column: Column) -> tuple[Column, str, str]:
    """Detect dates or truth values.

    Parameters
    ----------
    column
        The column, without a format.

    Returns
    -------
    column
        With its form, if there is one.
    why
        What was recognised, as a clause; empty if nothing was.
    doubt
        Why a column of dates is not read as such, as a predicate; may be empty.
    """
    texts = set(column.texts)
    if truth_words(texts):
        shown = " and ".join(quote(text) for text in sorted(texts, key=str.lower)[:2])
        return replace(column, form=TruthForm()), f"truth values, written as {shown}", ""
    found = recognise_dates(texts)
    if isinstance(found, DatesFound):
        ends = [found.form.written(end) for end in (found.first, found.last)]
        return replace(column, form=found.form), f"dates, {ends[0]} to {ends[1]}", ""
    if isinstance(found, DatesInDoubt):
        options = [shlex.join(["--format", f"{column.name}={form.text}"]) for form in found.forms]
        remedy = f" ({' or '.join(options)} reads it)" if options else ""
        return column, "", f"{found.text}{remedy}"
    return column, "", ""
