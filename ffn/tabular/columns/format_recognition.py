"""Recognise the number format of a column.

Every text that can be split into a unit and a number votes for its unit and rules out the
separators under which it would not be a number. A format is found only if nearly all texts share
one unit, and all remaining separators give the same numbers. Otherwise a `Doubt` gives the reason,
or the column does not hold numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

from ffn.errors import quote
from ffn.tabular.cells import is_number
from ffn.tabular.columns.unit_names import DOLLARS, is_currency, is_measure, is_unit_in_words
from ffn.tabular.number_format import NumberFormat, digits_pattern, plain_signs

__all__ = ["Doubt", "Found", "recognise_format"]

_NEARLY_ALL = 0.9
# Texts that are tried before all others, to see whether the column may hold numbers.
_SAMPLE = 500
_UNITS_SHOWN = 3
# Characters of a number with its unit; the expression below is slow on long texts.
_LONGEST = 60
# With at most so many different texts and no known unit, a column is categorical.
_FEW = 20

_RUN = r"(?P<run>(?:[0-9](?:[0-9.,' ]*[0-9])?[.,]?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?)"
_BEFORE = r"(?P<before>[^0-9+\-' .,\"][^0-9+\-\"]*?)?"
_AFTER = r"(?P<after>[^0-9+\-' .,\"][^+\-\"]*?)?"
_SPLIT = re.compile(rf" *([+-])? *{_BEFORE} *([+-])? *{_RUN} *(-)? *{_AFTER} *(-)? *")
# Joins a unit before the number and one after it.
_GAP = "\u2026"
_MARKS = [
    (thousands, decimal)
    for thousands in ("", ",", ".", "'", " ")
    for decimal in (".", ",")
    if thousands != decimal
]
# Digits from which on numbers with spaces, all of one length, may be telephone numbers.
_TELEPHONE = 7


class _Cell(NamedTuple):
    """A text split into unit and number.

    ``known``: the unit is in the lists of units, or empty. ``likely``: it is known, or reads like
    a unit.
    """

    unit: str
    before: bool
    run: str
    known: bool
    likely: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """A column's format.

    Attributes
    ----------
    format
        The format, as it would be declared in the settings.
    example, value
        A text of the column, and its number.
    cells, bare, others
        Number of rows with the unit (or in the format, if it has no unit), with a plain number,
        and with neither.
    """

    format: NumberFormat
    example: str
    value: float
    cells: int
    bare: int
    others: int


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Why a column that looks like formatted numbers is not read as such.

    Attributes
    ----------
    text
        A clause that continues a sentence beginning with the column's name.
    formats
        Formats that could read the column; may be empty.
    numbers
        Whether the column certainly holds numbers, so that reading it as categories needs a
        warning.
    """

    text: str
    formats: tuple[NumberFormat, ...] = ()
    numbers: bool = True


def recognise_format(rows: Mapping[str, int], decimal: str) -> Found | Doubt | None:
    """Return the format of a column, a doubt about it, or None for plain numbers and texts.

    Parameters
    ----------
    rows
        Number of rows by trimmed text, without texts that mean "no value".
    decimal
        Decimal mark of plain numbers in the same file.
    """
    if not _worth_it(rows):
        return _in_other_digits(rows)
    cells = {text: cell for text in rows if (cell := _split(text)) is not None}
    if all(not cell.unit and is_number(text, decimal) for text, cell in cells.items()):
        return None
    total = sum(rows.values())
    if sum(rows[text] for text in cells) < _NEARLY_ALL * total:
        return None
    units = Counter[str]()
    for text, cell in cells.items():
        units[cell.unit] += rows[text]
    bare = units.pop("", 0)
    if len(units) > 1:
        return _several_units(units, cells)
    unit = next(iter(units), "")
    if bare and not all(cell.known for cell in cells.values()):
        return None  # a word beside only some of the numbers is not a unit
    if _GAP in unit:
        signs = " and ".join(map(quote, unit.split(_GAP)))
        return Doubt(text=f"has numbers between {signs}, which are not read: take one of them out")
    likely = all(cell.likely for cell in cells.values())
    if not likely and (bare or len(cells) <= _FEW):
        return None
    found = _with_marks(cells, unit, decimal)
    if not isinstance(found, NumberFormat):
        return found
    if unit and found.needs_unit and bare:
        text = next(text for text, cell in cells.items() if not cell.unit)
        return Doubt(
            text=f"has {quote(unit)} in {units[unit]:,} cells and none in {bare:,}, such as "
            f"{quote(text)}, which may or may not be meant in {quote(unit)}: write it everywhere "
            "or nowhere",
        )
    if not likely:
        text = f"has {quote(unit)} beside a number in every cell"
        return Doubt(text=text, formats=(found,), numbers=False)
    return _described(found, rows, cells, decimal)


def _in_other_digits(rows: Mapping[str, int]) -> Doubt | None:
    """Return a doubt if nearly all texts are numbers in non-ASCII digits, such as Arabic ones."""
    sample = islice(rows, _SAMPLE)
    some = [text for text in sample if not text.isascii() and len(text) <= _LONGEST]
    numbers = [text for text in some if is_number(unicodedata.normalize("NFKC", _in_ascii(text)))]
    if len(numbers) < max(1, _NEARLY_ALL * min(len(rows), _SAMPLE)):
        return None
    return Doubt(text=f"has numbers such as {quote(numbers[0])}, in other digits than 0 to 9")


def _in_ascii(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)


def _worth_it(rows: Mapping[str, int]) -> bool:
    some = list(islice(rows, _SAMPLE))
    return sum(_split(text) is not None for text in some) * 2 >= len(some) > 0


def _split(text: str) -> _Cell | None:
    """Split a text into unit and number; None if it has no such form."""
    if len(text) > _LONGEST:
        return None
    text = plain_signs(text)
    if "(" in text:
        negative = text.count("(") == text.count(")") == 1
        text = text.replace("(", " -" if negative else "(").replace(")", " ")
    found = _SPLIT.fullmatch(text)
    if found is None or sum(sign is not None for sign in found.group(1, 3, 5, 7)) > 1:
        return None
    before, after = (found["before"] or "").strip(), (found["after"] or "").strip()
    first = not before or before == "%" or is_currency(before)
    known = not after or is_currency(after) or is_measure(after)
    spaced = text[found.end("run") :].startswith(" ")
    word = is_unit_in_words(after) and (spaced or bool(before))
    if before and after and not (first and (known or word)):
        return None
    unit = f"{before}{_GAP}{after}" if before and after else before or after
    likely = first and (known or word)
    # A letter beside a number makes it a name: "Q1", "v2", "room 3".
    if not likely and any(map(str.isalnum, unit)):
        return None
    return _Cell(unit, bool(before), found["run"], first and known, likely)


def _several_units(units: Counter[str], cells: Mapping[str, _Cell]) -> Doubt | None:
    known = {cell.unit for cell in cells.values() if cell.unit and cell.known}
    if len(known) < len(units):
        return None
    counts = [
        f"{quote(unit)} in {count:,} cells" for unit, count in units.most_common(_UNITS_SHOWN)
    ]
    more = len(units) - len(counts)
    shown = ", ".join(counts[:-1]) + f" and {counts[-1]}" if not more else ", ".join(counts)
    return Doubt(
        text=f"has numbers in {len(units)} units, {shown}{f' and {more} more' if more else ''}; "
        "they are not put together: convert them to one",
    )


def _with_marks(cells: Mapping[str, _Cell], unit: str, decimal: str) -> NumberFormat | Doubt | None:
    """Return the format whose separators fit all numbers; a doubt if several give other numbers."""
    runs = {cell.run for cell in cells.values()}
    before = any(cell.before for cell in cells.values())
    left = [marks for marks in _MARKS if all(map(_numeral(*marks).fullmatch, runs))]
    if not left:
        return None
    # The simplest first: the file's own decimal mark, and none between thousands.
    left.sort(key=lambda marks: (bool(marks[0]), marks[1] != decimal))
    meanings = {marks: [_value(run, *marks) for run in sorted(runs)] for marks in left}
    formats = [
        NumberFormat(unit=unit, before=before, thousands=thousands, decimal=mark)
        for i, (thousands, mark) in enumerate(left)
        if all(meanings[left[i]] != meanings[earlier] for earlier in left[:i])
    ]
    if len(formats) > 1:
        own = [form for form in formats if form.decimal == decimal]
        dollars = unit in DOLLARS and [form for form in formats if form.thousands == ","]
        if dollars:
            formats = dollars[:1]
        elif own and not own[0].thousands and not is_currency(unit):
            # As plain numbers are read: "1.234" is no thousand where the point is decimal. But
            # beside "950" it may be one.
            formats = own[:1] if all(decimal in run for run in runs) else formats
    if len(formats) > 1:
        text = next(t for t, cell in cells.items() if len({_value(cell.run, *m) for m in left}) > 1)
        mark = next(sign for sign in ".," if sign in cells[text].run)
        name = "comma" if mark == "," else "point"
        return Doubt(
            text=f"has numbers such as {quote(text)}, whose {name} may be decimal or separate "
            "thousands",
            formats=tuple(formats[:2]),
        )
    (form,) = formats
    fraction = any(form.decimal in run for run in runs)
    if not unit and form.decimal != decimal and fraction and form.thousands not in ("'", " "):
        return None  # rather the decimal mark of the whole file
    if not unit and form.thousands == " " and _are_telephones(runs):
        return None
    return form


def _described(
    form: NumberFormat, rows: Mapping[str, int], cells: Mapping[str, _Cell], decimal: str
) -> Found | None:
    values = {text: form.number(text) for text in rows}
    bare = {text for text in cells if is_number(text, decimal) and values[text] == values[text]}
    formatted = [text for text, value in values.items() if value == value and text not in bare]
    others = sum(rows[text] for text, value in values.items() if value != value)
    if not formatted or others > (1 - _NEARLY_ALL) * sum(rows.values()):
        return None
    # The text with the most separators, in the fewest characters.
    example = max(
        formatted, key=lambda text: (form.thousands in text, form.decimal in text, -len(text))
    )
    return Found(
        format=form,
        example=example,
        value=values[example],
        cells=sum(rows[text] for text in formatted),
        bare=sum(rows[text] for text in bare) if form.unit else 0,
        others=others,
    )


def _are_telephones(runs: set[str]) -> bool:
    lengths = {sum(sign.isdigit() for sign in run) for run in runs}
    return len(lengths) == 1 and min(lengths) >= _TELEPHONE


@cache
def _numeral(thousands: str, decimal: str) -> re.Pattern[str]:
    return re.compile(digits_pattern(thousands, decimal))


def _value(run: str, thousands: str, decimal: str) -> float:
    return float(run.replace(thousands, "").replace(decimal, "."))
