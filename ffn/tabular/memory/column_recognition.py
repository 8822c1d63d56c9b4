"""What a column of texts holds: plain numbers, values in some format, or categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ffn.tabular.cells import numbers
from ffn.tabular.columns.format_recognition import Doubt, Found, recognise_format
from ffn.tabular.columns.inference import kind_of
from ffn.tabular.columns.parsers import Count
from ffn.tabular.dates.clock_recognition import TimesFound, TimesInDoubt, recognise_times
from ffn.tabular.dates.date_recognition import DatesFound, DatesInDoubt, recognise_dates
from ffn.tabular.schema import Kind
from ffn.tabular.truth_form import TRUTH, truth_words

__all__ = ["Recognised", "recognise_column"]

# So few texts are read as categories without asking: 5 mg, 10 mg and 1 g may be doses.
_FEW = 20


class Recognised(NamedTuple):
    """What a column holds.

    Attributes
    ----------
    kind
        The kind; texts are never recognised, as they look like categories.
    format
        What `cell_form` takes, for a numeric column that is not of plain numbers; else None.
    doubt
        Why a column of categories may be something else, as a clause that follows its name; empty
        if there is no doubt.
    formats
        What `cell_form` takes, of each form that could read a column in doubt.
    """

    kind: Kind
    format: str | None = None
    doubt: str = ""
    formats: tuple[str, ...] = ()


def recognise_column(rows: Mapping[str, int]) -> Recognised:
    """Return what a column holds, by the rules of training and of ``ffn init``.

    Dates, times of day, truth values and numbers with units or separators are recognised only
    where their texts leave no doubt.

    Parameters
    ----------
    rows
        Number of rows by trimmed text, without texts that mean "no value"; may be empty.
    """
    if not rows:
        return Recognised("numeric")
    if truth_words(set(rows)):
        return Recognised("numeric", TRUTH)
    kind = _kind(rows)
    dates = recognise_dates(rows)
    if isinstance(dates, DatesFound):
        return Recognised("numeric", dates.form.text)
    if isinstance(dates, DatesInDoubt):
        return Recognised(kind, None, dates.text, tuple(form.text for form in dates.forms))
    times = recognise_times(rows)
    if isinstance(times, TimesFound):
        return Recognised("numeric", times.form.text)
    if isinstance(times, TimesInDoubt):
        return Recognised(kind, None, times.text, () if times.form is None else (times.form.text,))
    found = recognise_format(rows, ".")
    if isinstance(found, Found):
        return Recognised("numeric", found.format.example)
    if isinstance(found, Doubt) and len(rows) > _FEW:
        return Recognised(kind, None, found.text, tuple(form.example for form in found.formats))
    return Recognised(kind)


def _kind(rows: Mapping[str, int]) -> Kind:
    texts = list(rows)
    wrong = {texts[i] for i in numbers(texts, ())[1]}
    of_texts = sum(rows[text] for text in wrong)
    return kind_of(Count(numbers=sum(rows.values()) - of_texts, texts=of_texts))
