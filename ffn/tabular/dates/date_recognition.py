"""Recognise the form of a column of dates, from all of its cells.

A form is found only if every cell is a date in it, and no other form reads another date: 03/04/2025
is a day in March or in April until another cell of its column has a day above 12.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.tabular.cells import is_number
from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.date_cells import date_numbers

__all__ = ["FORMS", "DatesFound", "DatesInDoubt", "recognise_dates"]

_DAYS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# Made without `DateForm.of`, whose checks of all of them take as long as importing this package.
FORMS = tuple(DateForm(pattern=day + clock) for day in _DAYS for clock in _CLOCKS)
_ISO = (DateForm(), DateForm(zoned=True))
# Texts that are tried before all others.
_SAMPLE = 100
_NEARLY_ALL = 0.9
# Eight digits that happen to be dates, all of these years, would be a strange accident.
_DIGITS = "%Y%m%d"
_YEARS = "1900-01-01", "2100-12-31"
_FEWEST = 5
# Of a cell that may be a date, such as "1-Jan-24".
_FEWEST_DIGITS, _LONGEST = 3, 40


@dataclass(frozen=True, kw_only=True)
class DatesFound:
    """The form of a column in which every cell is a date.

    Attributes
    ----------
    form
        The form.
    first, last
        The earliest and the latest date, in seconds since 1970.
    """

    form: DateForm
    first: float
    last: float


@dataclass(frozen=True, kw_only=True)
class DatesInDoubt:
    """Why a column that looks like dates is not read as such.

    Attributes
    ----------
    text
        What is in doubt, as a clause that follows the column's name.
    forms
        Forms that could read it; empty if none reads all of its cells.
    """

    text: str
    forms: tuple[DateForm, ...] = ()


def recognise_dates(rows: Mapping[str, int]) -> DatesFound | DatesInDoubt | None:
    """Return the form of a column's dates, a doubt about it, or None if it has no dates.

    Parameters
    ----------
    rows
        Number of rows by trimmed text, without texts that mean "no value".
    """
    cells = sorted(rows)
    some = cells[:: max(1, len(cells) // _SAMPLE)]
    if sum(map(_may_be_date, some)) < _NEARLY_ALL * len(some) - 1:
        return None
    unread = {form: date_numbers(some, form, ())[1] for form in _ISO}
    shares = {form: _share(some, unread[form], rows) for form in _ISO}
    if all(shares.values()) and sum(shares.values()) >= _NEARLY_ALL:
        zoned, plain = (_first(some, form) for form in (DateForm(zoned=True), DateForm()))
        text = f"has times with a zone, such as {quote(zoned)}, and without, such as {quote(plain)}"
        return DatesInDoubt(text=text)
    # Numbers are no dates, unless they are written as eight digits.
    forms = (DateForm(pattern=_DIGITS),) if all(map(is_number, some)) else FORMS
    unread |= {form: date_numbers(some, form, ())[1] for form in forms}
    shares |= {form: _share(some, unread[form], rows) for form in forms}
    likely = [form for form, share in shares.items() if share >= _NEARLY_ALL]
    read = {form: date_numbers(cells, form, ()) for form in likely}
    whole = {form: values for form, (values, wrong) in read.items() if not wrong}
    if not whole:
        if not read:
            return _in_two_forms(some, unread, rows)
        of_all = {form: _share(cells, bad, rows) for form, (_, bad) in read.items()}
        form = max(of_all, key=of_all.__getitem__)
        if of_all[form] < _NEARLY_ALL:
            return _in_two_forms(some, unread, rows)
        strange = [cells[i] for i in read[form][1]]
        for cell in strange[:_SAMPLE]:
            if not is_number(cell) and any(not date_numbers([cell], one, ())[1] for one in unread):
                bad = set(read[form][1])
                usual = next(cells[i] for i in range(len(cells)) if i not in bad)
                return DatesInDoubt(text=_two_forms(usual, cell))
        other = quote(strange[0])
        remedy = f"for no value? give --missing {other}"
        return DatesInDoubt(text=f"has dates, and texts that are none, such as {other} ({remedy})")
    (form, values), *others = whole.items()
    rivals = {other: own for other, own in others if not np.array_equal(values, own)}
    if rivals:
        place = int(np.argmax(values != next(iter(rivals.values()))))
        days = " or ".join(
            one.written(float(own[place])) for one, own in {form: values, **rivals}.items()
        )
        text = f"has dates that may be meant otherwise: {quote(cells[place])} is {days}"
        return DatesInDoubt(text=text, forms=(form, *rivals))
    if form.pattern == _DIGITS and not _are_years(values):
        return None
    return DatesFound(form=form, first=float(values.min()), last=float(values.max()))


def _in_two_forms(
    cells: Sequence[str], unread: Mapping[DateForm, Sequence[int]], rows: Mapping[str, int]
) -> DatesInDoubt | None:
    """Return the doubt about a column of which two forms together read nearly all, else None.

    Parameters
    ----------
    cells
        Texts of the column.
    unread
        By form, the places in ``cells`` that it does not read.
    rows
        Number of rows by text.
    """
    first = max(unread, key=lambda form: _share(cells, unread[form], rows))
    left = {form: sorted(set(unread[first]) & set(bad)) for form, bad in unread.items()}
    second = max(unread, key=lambda form: _share(cells, left[form], rows))
    alone = sorted(set(unread[second]) - set(unread[first]))
    added = sorted(set(unread[first]) - set(unread[second]))
    if min(len(alone), len(added)) < _FEWEST or _share(cells, left[second], rows) < _NEARLY_ALL:
        return None
    return DatesInDoubt(text=_two_forms(cells[alone[0]], cells[added[0]]))


def _two_forms(one: str, other: str) -> str:
    return (
        f"has dates in different forms, such as {quote(one)} and {quote(other)} (write all alike)"
    )


def _may_be_date(cell: str) -> bool:
    return len(cell) <= _LONGEST and sum(map(str.isdigit, cell)) >= _FEWEST_DIGITS


def _are_years(values: npt.NDArray[np.float64]) -> bool:
    low, high = (DateForm().number(day) for day in _YEARS)
    return len(values) >= _FEWEST and bool(values.min() >= low and values.max() <= high)


def _first(cells: Sequence[str], form: DateForm) -> str:
    return next(cell for cell in cells if not math.isnan(form.number(cell)))


def _share(cells: Sequence[str], wrong: Sequence[int], rows: Mapping[str, int]) -> float:
    """Return the share of the rows with one of these texts, but for those at ``wrong`` places."""
    total = sum(rows[cell] for cell in cells)
    return 1 - sum(rows[cells[i]] for i in wrong) / total if total else 0.0
