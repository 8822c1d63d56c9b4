"""What a cell of each kind of column means, from the user's pages and with Python's own library.

Nothing of the readers of the product is used here.
"""

from __future__ import annotations

import datetime
import math
import re
import zlib
from collections.abc import Sequence

from fuzz.mixed.columns import Column

__all__ = ["MISSING", "UNKNOWN", "WRONG", "components_of", "value_of"]

MISSING, UNKNOWN = -1, -2
WRONG = {"number": "not_a_number", "money": "not_a_number", "date": "not_a_date"} | {
    "time": "not_a_time",
    "truth": "not_true_or_false",
}
_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TYPOGRAPHIC = {
    "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ",
    "\u2212": "-", "\u2013": "-", "\u2019": "'",
}  # fmt: skip
_SHAPE = re.compile(
    "[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    "([ \\t\\n\\r\\f\\v]?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?)?)?"
)
_EPOCH = datetime.datetime(1970, 1, 1)
_CLOCK = re.compile(
    "(?P<hour>[0-9]{1,2})(?P<rest>:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?)( ?(?P<half>[AaPp][Mm]))?"
)
_TRUTHS = {
    "true": 1.0, "yes": 1.0, "t": 1.0, "y": 1.0, "1": 1.0, "1.0": 1.0, "1,0": 1.0,
    "false": 0.0, "no": 0.0, "f": 0.0, "n": 0.0, "0": 0.0, "0.0": 0.0, "0,0": 0.0,
}  # fmt: skip


def value_of(
    column: Column, cell: str, missing_values: Sequence[str], decimal: str
) -> float | int | str | None:
    """Return what a cell means: a number, a code, a text; None for nothing; NaN if it is wrong.

    A category that training never saw is ``UNKNOWN``, one without a value ``MISSING``.
    """
    text = cell.strip(" \t")
    if column.kind == "category":
        if text in missing_values:
            return MISSING
        return column.categories.index(text) if text in column.categories else UNKNOWN
    if text in missing_values:
        return None
    if column.kind == "text":
        return text
    if column.kind == "number":
        if decimal == ",":
            text = text.translate(str.maketrans(",.", ".,"))
            if text in missing_values:
                return None
        return _finite(float(text)) if _PLAIN.fullmatch(text) else math.nan
    if column.kind == "truth":
        return _TRUTHS.get(text.lower(), math.nan) if text.isascii() else math.nan
    if column.kind == "time":
        return _since_midnight(text, column.form)
    return _money(text, column.form) if column.kind == "money" else _seconds(text, column.form)


def components_of(text: str | None, width: int) -> list[float]:
    """Return numbers that tell texts apart; NaN without a text."""
    if text is None:
        return [math.nan] * width
    raw = text.encode("utf-8", "surrogatepass")
    return [zlib.crc32(raw, part) / 2**32 for part in range(width)]


def _finite(number: float) -> float:
    return number if math.isfinite(number) else math.nan


def _seconds(text: str, form: str) -> float:
    moment = None
    try:
        if _SHAPE.fullmatch(text):
            moment = _of_iso(text)
        elif "%" in form and not any(c.isdigit() and not c.isascii() for c in text):
            strange = {c for c in text if not c.isascii()} - set(form)
            moment = None if strange else datetime.datetime.strptime(text, form)
        zoned = form == "iso utc" or "%z" in form
        if moment is None or (moment.tzinfo is not None) != zoned:
            return math.nan
        if zoned:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return math.nan
    return (moment - _EPOCH).total_seconds()


def _since_midnight(text: str, form: str) -> float:
    found = _CLOCK.fullmatch(text)
    if found is None or (found["half"] is not None) != (form == "time am/pm"):
        return math.nan
    hour = int(found["hour"])
    if found["half"]:
        if hour not in range(1, 13):
            return math.nan
        hour = {("am", 12): 0, ("pm", 12): 12}.get(
            (found["half"].lower(), hour), hour + 12 * (found["half"] in ("pm", "PM", "Pm", "pM"))
        )
    if hour > 23:
        return math.nan
    try:
        at = datetime.time.fromisoformat(f"{hour:02}{found['rest'].replace(',', '.')}")
    except ValueError:
        return math.nan
    moment = datetime.datetime.combine(_EPOCH, at)
    return (moment - _EPOCH).total_seconds()


def _of_iso(text: str) -> datetime.datetime | None:
    if len(text) == len("2025-01"):
        text += "-01"
    # Later releases of Python read 24:00 as the next midnight.
    if text[11:13] == "24":
        return None
    head, tail = text[:16], re.sub(r"\s", "", text[16:]).upper().replace(",", ".")
    return datetime.datetime.fromisoformat(head + tail)


def _money(text: str, form: str) -> float:
    """Return the number that a text means in the format of an example, part by part."""
    if len(text) > 1000:
        return math.nan
    before, rest = form.split("1", 1)
    thousands = rest[: rest.index("234")]
    mark, after = rest[rest.index("234") + 3], rest.rsplit("5", 1)[1].lstrip("0")
    unit = (before or after).strip()
    text = "".join(_TYPOGRAPHIC.get(c, c) for c in text).strip(" ")
    return _finite(_signed(text, unit, thousands, mark))


def _signed(text: str, unit: str, thousands: str, mark: str) -> float:
    """Read sign, brackets and unit, in all orders that the page shows."""
    bare = math.nan if unit in ("%", "\u2030") else _digits(text, thousands, mark)
    if not math.isnan(bare):
        return bare
    if not math.isnan(number := _beside(text, unit, thousands, mark)):
        return number
    negative = math.nan
    if text[:1] in ("+", "-"):
        inner = _amount(text[1:].strip(" "), unit, thousands, mark)
        return inner if text[0] == "+" else -inner
    if text.endswith("-"):
        negative = _amount(text[:-1].strip(" "), unit, thousands, mark)
    elif text.startswith("(") and text.endswith(")"):
        negative = _amount(text[1:-1].strip(" "), unit, thousands, mark)
    if not math.isnan(negative) or not unit:
        return -negative
    # The sign between unit and number.
    if text.startswith(unit):
        rest = text[len(unit) :].strip(" ")
        if rest[:1] in ("+", "-"):
            number = _digits(rest[1:].strip(" "), thousands, mark)
            return number if rest[0] == "+" else -number
        if rest.startswith("(") and rest.endswith(")"):
            return -_digits(rest[1:-1].strip(" "), thousands, mark)
    if text.endswith(unit):
        rest = text[: -len(unit)].strip(" ")
        if rest.endswith("-"):
            return -_digits(rest[:-1].strip(" "), thousands, mark)
        if rest.startswith("(") and rest.endswith(")"):
            return -_digits(rest[1:-1].strip(" "), thousands, mark)
    return math.nan


def _amount(text: str, unit: str, thousands: str, mark: str) -> float:
    bare = math.nan if unit in ("%", "\u2030") else _digits(text, thousands, mark)
    return _beside(text, unit, thousands, mark) if math.isnan(bare) else bare


def _beside(text: str, unit: str, thousands: str, mark: str) -> float:
    if unit and text.startswith(unit):
        return _digits(text[len(unit) :].strip(" "), thousands, mark)
    if unit and text.endswith(unit):
        return _digits(text[: -len(unit)].strip(" "), thousands, mark)
    return math.nan


def _digits(text: str, thousands: str, mark: str) -> float:
    """Return an unsigned number; NaN if it is none."""
    mantissa, letter, power = text.replace("E", "e").partition("e")
    if letter and not re.fullmatch("[+-]?[0-9]+", power):
        return math.nan
    whole, _, fraction = mantissa.partition(mark)
    if thousands and thousands in whole:
        *head, last = whole.split(thousands)
        first, middle = head[0], head[1:]
        western = 1 <= len(first) <= 3 and {len(g) for g in middle} <= {3}
        indian = 1 <= len(first) <= 2 and {len(g) for g in middle} <= {2}
        if first.startswith("0") or len(last) != 3 or not (western or (indian and middle)):
            return math.nan
        whole = "".join((*head, last))
    if not re.fullmatch("[0-9]*", whole + fraction) or not whole + fraction:
        return math.nan
    return float(f"{whole or '0'}.{fraction or '0'}e{power or '0'}")
