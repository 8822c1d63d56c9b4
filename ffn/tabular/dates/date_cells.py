"""Vectorised parsing of a column of dates, or of times of day, from its bytes.

Cells of a common layout (``2025-01-31``, ``31/01/2025 10:30``) are read digit by digit down the
column. Any other cell is read alone, each different text once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import trim
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.date_form import DateForm

__all__ = ["date_numbers", "dates_of_bytes", "numbers_of_bytes"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_ZERO = ord("0")
# Positions and digits of so many cells stay in the second-level cache.
_CELLS_AT_ONCE = 2**14
# Fewer cells are read one by one.
_FEW = 64
_FIELDS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "hh", "%M": "mm", "%S": "ss"}
# T stands for a T or a space, as ISO 8601 has it here; fff are digits of a fraction, and the hours
# and minutes of an offset follow its sign, ~.
_FRACTIONS = tuple(f"YYYY-MM-DDThh:mm:ss.{'f' * digits}" for digits in (3, 6, 9))
_TIMES = ("YYYY-MM-DDThh:mm:ss", "YYYY-MM-DDThh:mm", *_FRACTIONS)
_ISO = ("YYYY-MM-DD", *_TIMES)
_ISO_ZONED = tuple(f"{time}{zone}" for zone in ("Z", "~AA:BB") for time in _TIMES)
_CLOCK = tuple(time.removeprefix("YYYY-MM-DDT") for time in _TIMES)
_SIGNS = {"T": b"T ", ".": b".,", "~": b"+-"}
_TICKS = 1_000_000
_DAY_SECONDS = 86_400
# Larger integers are not exact in float64: such times are read alone.
_EXACT = 2**53
# 0001-01-01 and the last second of 9999-12-31.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


class _Layout(NamedTuple):
    """Cells of one length with their digits at the same places.

    Attributes
    ----------
    length
        Bytes of a cell.
    fields
        Places of the digits by field: year, month, day, hour, minute, second, then hours and
        minutes of the offset from UTC, then the fraction of a second.
    others
        Places of the other bytes, with those that may stand there.
    sign
        Place of the offset's sign; None if the layout has none.
    """

    length: int
    fields: tuple[tuple[int, ...], ...]
    others: tuple[tuple[int, bytes], ...]
    sign: int | None


def date_numbers(
    cells: Sequence[str], form: DateForm | ClockForm, missing_values: Collection[str]
) -> tuple[Floats, list[int]]:
    """Convert cells to seconds since 1970, or of times of day to seconds since midnight.

    As `ffn.tabular.cells.numbers` does for plain numbers.

    Parameters
    ----------
    cells
        Cell texts [n].
    form
        Form of the column.
    missing_values
        Trimmed texts that mean "no value".

    Returns
    -------
    values
        Seconds [n]; NaN for missing and invalid cells.
    wrong
        Positions of invalid cells.
    """
    if len(cells) < _FEW:
        values, sure = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    else:
        encoded = [cell.encode(errors="replace") for cell in cells]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        ends = np.cumsum(lengths)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        values, sure = dates_of_bytes(data, ends - lengths, ends, form)
    return _with_others(values, sure, cells.__getitem__, form, missing_values)


def dates_of_bytes(
    data: npt.NDArray[np.uint8], starts: Array, ends: Array, form: DateForm | ClockForm
) -> tuple[Floats, Flags]:
    """Return seconds [n] of the cells that have a common layout, and a mask [n] of these.

    Parameters
    ----------
    data
        Bytes that the positions refer to.
    starts, ends
        Positions of the cells, [n] each.
    form
        Form of the column.
    """
    values, sure = np.full(len(starts), np.nan), np.zeros(len(starts), dtype=bool)
    for first in range(0, len(starts), _CELLS_AT_ONCE):
        some = slice(first, first + _CELLS_AT_ONCE)
        lengths = ends[some] - starts[some]
        for layout in _layouts(form):
            if sure[some].all():
                break
            rows = np.flatnonzero((lengths == layout.length) & ~sure[some])
            if len(rows):
                found, fits = _read(data, starts[some][rows], layout)
                places = first + rows[fits]
                values[places], sure[places] = found[fits], True
    return values, sure


def numbers_of_bytes(
    data: npt.NDArray[np.uint8],
    text: bytes,
    starts: Array,
    ends: Array,
    form: DateForm | ClockForm,
    missing_values: Collection[str],
) -> tuple[Floats, list[int]]:
    """Convert the cells of a block to seconds, as `date_numbers` does.

    Parameters
    ----------
    data, text
        The same bytes, as an array and as a text in UTF-8.
    starts, ends
        Positions of the cells, [n] each.
    form, missing_values
        As for `date_numbers`; the result is the same, too.
    """
    values, sure = dates_of_bytes(data, starts, ends, form)

    def cell(i: int) -> str:
        return text[int(starts[i]) : int(ends[i])].decode()

    return _with_others(values, sure, cell, form, missing_values)


def _with_others(
    values: Floats,
    sure: Flags,
    cell: Callable[[int], str],
    form: DateForm | ClockForm,
    missing_values: Collection[str],
) -> tuple[Floats, list[int]]:
    """Read the cells that are not ``sure`` one by one, into ``values``."""
    # A date may mean "no value", and the same date in another notation does not.
    absent = [number for text in missing_values if not math.isnan(number := form.number(text))]
    if absent:
        sure &= ~np.isin(values, absent)
    known: dict[str, float] = {}
    wrong = []
    for i in np.flatnonzero(~sure).tolist():
        text = trim(cell(i))
        if text not in known:
            known[text] = math.nan if text in missing_values else form.number(text)
        number = values[i] = known[text]
        if math.isnan(number) and text not in missing_values:
            wrong.append(i)
    return values, wrong


@lru_cache(64)
def _layouts(form: DateForm | ClockForm) -> tuple[_Layout, ...]:
    """Return the layouts that a form may have: those of ISO 8601 first, then its own."""
    if isinstance(form, ClockForm):
        return () if form.halves else tuple(_layout(each, iso=True) for each in _CLOCK)
    templates = _ISO_ZONED if form.zoned else _ISO
    return tuple(_layout(each, iso=True) for each in templates) + tuple(
        _layout(each, iso=False) for each in _own_template(form.pattern)
    )


def _own_template(pattern: str) -> list[str]:
    """Return the layout that a pattern of ``strptime`` has, if all its cells have one."""
    template = pattern
    for directive, letters in _FIELDS.items():
        if pattern.count(directive) > 1:
            return []
        template = template.replace(directive, letters)
    fields = [letters for letters in _FIELDS.values() if letters in template]
    # Any other letter or digit would be taken for one of a field, and "%" is one with no layout.
    others = sum(map(str.isalnum, template)) - sum(map(len, fields))
    sound = {"YYYY", "MM", "DD"}.issubset(fields) and template.isascii() and "%" not in template
    return [template] if sound and not others else []


def _layout(template: str, *, iso: bool) -> _Layout:
    fields = []
    for letters in (*_FIELDS.values(), "AA", "BB"):
        place = template.find(letters)
        fields.append(tuple(range(place, place + len(letters))) if place >= 0 else ())
    fields.append(tuple(place for place, sign in enumerate(template) if sign == "f"))
    taken = {place for field in fields for place in field}
    signs = _SIGNS if iso else {}
    return _Layout(
        len(template),
        tuple(fields),
        tuple(
            (place, signs.get(sign, sign.encode()))
            for place, sign in enumerate(template)
            if place not in taken
        ),
        template.find("~") if iso and "~" in template else None,
    )


def _read(data: Array, starts: Array, layout: _Layout) -> tuple[Floats, Flags]:
    """Return the seconds of cells of one length [m], and whether they are so laid out, and are."""
    fits = np.ones(len(starts), dtype=bool)
    for place, allowed in layout.others:
        byte = data[starts + place]
        matches = byte == allowed[0]
        for other in allowed[1:]:
            matches |= byte == other
        fits &= matches
    found = []
    for places in layout.fields:
        number = np.zeros(len(starts), dtype=np.int64)
        for place in places:
            digit = data[starts + place] - np.uint8(_ZERO)
            fits &= digit <= 9
            number = number * 10 + digit
        found.append(number)
    year, month, day, hour, minute, second, ahead, ahead_minutes, fraction = found
    fits &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = hour * 3600 + minute * 60 + second
    # A time of day has no date.
    if layout.fields[0]:
        days, are_days = _days(year, month, day)
        seconds += days * _DAY_SECONDS
        fits &= are_days
    if layout.sign is not None:
        # As datetime has it: less than a day.
        fits &= (ahead < 24) & (ahead_minutes < 60)
        offset = ahead * 3600 + ahead_minutes * 60
        seconds += np.where(data[starts + layout.sign] == ord("-"), offset, -offset)
        fits &= (seconds >= _FIRST) & (seconds <= _LAST)
    digits = len(layout.fields[-1])
    if not digits:
        return seconds.astype(np.float64), fits
    # Fractions of a microsecond are cut off.
    ticks = seconds * _TICKS + (fraction * _TICKS) // 10**digits
    fits &= np.abs(ticks) <= _EXACT
    return ticks / _TICKS, fits


def _days(year: Array, month: Array, day: Array) -> tuple[Array, Flags]:
    """Return the days since 1970 of dates, and whether there are such days."""
    fits = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month = np.where(fits, month, 1)
    fits &= day <= _MONTH_DAYS[month] + (leap & (month == 2))
    months = (year - 1970) * 12 + (month - 1)
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64) + (day - 1), fits
