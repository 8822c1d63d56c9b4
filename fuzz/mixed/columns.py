"""Columns of every kind, with cells as people and programs write them, and as they should not."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from zoneinfo import ZoneInfo

__all__ = ["Column", "cell_of", "make_columns"]

_NAMES = ("size", "At", "paid in", "is_open", "Kind", "note", "x.1", "rate (%)", "tail", "z")
_ODD_NAMES = ("Gr\u00f6\u00dfe", 'the "best"', "a,b;c", "=cmd", "\u65e5\u4ed8")
MONEY = (
    "$1,234.50",
    "1.234,5 kg",
    "1234.5%",
    "1234,5 \u2030",
    "1 234,5 \u20ac",
    "1'234.5",
    "CHF 1'234.50",
    "1,234.5",
)
DATES = (
    "iso",
    "iso",
    "iso utc",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%Y%m%d",
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y",
    "%d/%m/%y %I:%M %p",
    "%Y%m%dT%H%M%S%z",
    "%d.%m.%Y %H:%M:%S.%f %z",
    "%Y\u5e74%m\u6708%d\u65e5",
)
_ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "America/New_York",
    "Africa/Monrovia",
)
_EDGES = (
    datetime.datetime(1, 1, 1),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999),
    datetime.datetime(1970, 1, 1),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999),
    datetime.datetime(2000, 2, 29),
    datetime.datetime(2024, 2, 29, 23, 59),
    datetime.datetime(1900, 1, 1),
    # Hours that clocks skip and repeat.
    datetime.datetime(2025, 3, 30, 2, 30),
    datetime.datetime(2025, 10, 26, 2, 30),
    datetime.datetime(2038, 1, 19, 3, 14, 8),
    datetime.datetime(2262, 4, 11, 23, 47, 17),
)
_NO_DATES = (
    "2023-02-29",
    "1900-02-29",
    "2025-02-30T10:00",
    "2025-01-31 24:00",
    "2025-01-31 24:00:00Z",
    "2025-01-31 23:59:60",
    "2025-01-31 23:60",
    "0000-01-01",
    "10000-01-01",
    "-2025-01-31",
    "2025-00-10",
    "2025-13-01",
    "2025-1-31",
    "2025-01-31T",
    "2025-01-31 10",
    "2025-W05-5",
    "2025-031",
    "2025-01-31 10:30+24:00",
    "2025-01-31 10:30+02:60",
    "2025-01-31 10:30+0",
    "0001-01-01 00:30+01:00",
    "9999-12-31 23:30-01:00",
    "2025-01-31 10:30:15.",
    "2025-01-31 10:30:15.1234567890",
    "2025-01-31  10:30",
    "\uff12\uff10\uff12\uff15-01-31",
    "31/\u0660\u0661/2025",
    "NaT",
    "now",
    "31/02/2025",
    "31/01/20255",
    "00/01/2025",
    "20250229",
    "1738281600",
    "45688",
    "2025-01-31 10:30 UTC",
    "Jan 31 2025",
    "2025-01-31" + "0" * 200,
)
_DATES_ELSEWHERE = (
    "2025-01-31",
    "2025-01",
    "2025-01-31 10:30",
    "2025-01-31T10:30:15.25",
    "2025-01-31 10:30:15,250",
    "2025-01-31 10:30Z",
    "2025-01-31 10:30z",
    "2025-01-31T10:30 +02:00",
    "2025-01-31 10:30:15.123456789+0545",
    "2025-01-31 10:30-00:00",
    "2025-01-31 10:30+23:59",
    "2025-01-31 10:30+02",
    "31/01/2025",
    "01/31/2025 09:05",
    "20250131",
    "31.01.2025 10:30:15",
    "31 Jan 2025",
    "31 jan 2025",
    "1/2/2025",
    "31/01/25 09:05 pm",
)
_TIMES = ("time", "time am/pm")
_NO_TIMES = (
    "24:00",
    "08:60",
    "08:30:60",
    "8:3",
    "8",
    "0830",
    "008:30",
    "-1:30",
    "36:15",
    "08:30:15.",
    "08:30:15.1234567890",
    "08:30Z",
    "08:30+01:00",
    "2025-01-31 08:30",
    "13:30 PM",
    "0:30 AM",
    "8:30 M",
    "8:30  AM",
    "8 AM",
    "\u0660\u0668:30",
    "noon",
)
_TRUE = ("true", "TRUE", "True", "yes", "Y", "t", "1", "yEs")
_FALSE = ("false", "FALSE", "False", "no", "N", "f", "0", "nO")
_NO_TRUTH = (
    "2",
    "ja",
    "on",
    "off",
    "tr ue",
    "-1",
    "00",
    "TRUE.",
    "\uff11",
    "tru\u0435",
    "oui",
    "01",
)
_WORDS = ("red", "dark blue, or \u00e9cru", "True", "1", "01", "2025-01-31", "x|y", 'a "b"', "N/A")
_TEXTS = (
    "the quick brown fox",
    "caf\u00e9 \u0301 au lait",
    "\U0001f600 \u200f\u05d0",
    "1.50",
    "True",
    "nan",
    "so 'quoted' and \"quoted\"",
    "two\nlines",
    "\u3000",
    "  padded\t",
    "=HYPERLINK(1)",
)
_NUMBERS = (
    "7.3",
    "1",
    "-.5",
    "+2e-1",
    "0.000",
    "-0",
    "10",
    " 4.25 ",
    "3.",
    "123456789.25",
    "1e120",
)
_NO_NUMBERS = (
    "1_4",
    "x",
    "\u0661",
    "1e999",
    "0x1F",
    "inf",
    "nan",
    "1.2.3",
    "-",
    "--1",
    "1 2",
    "$5",
)


@dataclass(frozen=True)
class Column:
    """A column that the model knows.

    Attributes
    ----------
    kind
        ``number``, ``money``, ``date``, ``time``, ``truth``, ``category`` or ``text``.
    missing
        Whether training had cells without a value.
    form
        What ``[data.formats]`` says of it; empty for nothing.
    categories
        Texts that training saw.
    """

    name: str
    kind: str
    missing: bool
    form: str = ""
    categories: tuple[str, ...] = ()


def make_columns(chance: random.Random, *, ascii_only: bool) -> tuple[Column, ...]:
    """Return some columns, of kinds and names that differ."""
    names = list(_NAMES if ascii_only else _NAMES + _ODD_NAMES)
    kinds = ("number", "money", "date", "date", "time", "truth", "category", "text")
    return tuple(
        _column(chance, name, chance.choice(kinds))
        for name in chance.sample(names, chance.choice((1, 2, 2, 3, 3, 4, 5)))
    )


def _column(chance: random.Random, name: str, kind: str) -> Column:
    form: str = ""
    categories: tuple[str, ...] = ()
    if kind == "money":
        form = chance.choice(MONEY)
    elif kind == "date":
        form = chance.choice(DATES)
    elif kind == "time":
        form = chance.choice(_TIMES)
    elif kind == "truth":
        form = "true/false"
    elif kind == "category":
        categories = tuple(sorted(chance.sample(_WORDS, chance.randrange(2, 6))))
        if chance.random() < 0.2:
            # Many-valued, as identifiers of shops and products are.
            count = chance.choice((70, 300, 1500))
            categories = tuple(sorted({f"{chance.randrange(10**6):06d}" for _ in range(count)}))
    return Column(name, kind, chance.random() < 0.6, form, categories)


def cell_of(chance: random.Random, column: Column, decimal: str) -> str:
    """Return a cell of a column; mostly a good one."""
    draw = chance.random()
    if draw < 0.04:
        return chance.choice(("", "NA", " ", "\t", "NaN", "null", "-999", "1900-01-01"))
    cell = _CELLS[column.kind](chance, column, odd=draw < 0.10)
    if column.kind == "number":
        cell = cell.replace(".", decimal)
    if chance.random() < 0.03:
        cell = chance.choice((" ", "\t", "\u00a0", "  ")) + cell
    if chance.random() < 0.03:
        cell += chance.choice((" ", "\t", "\u00a0", "\n"))
    return cell


def _number(chance: random.Random, _column: Column, *, odd: bool) -> str:
    if odd:
        return chance.choice(_NO_NUMBERS)
    if chance.random() < 0.4:
        return f"{chance.uniform(-20, 20):.{chance.randrange(18)}f}"
    return chance.choice(_NUMBERS)


def _money(chance: random.Random, column: Column, *, odd: bool) -> str:
    form = column.form.replace("50", "5")
    if odd and chance.random() < 0.5:
        return chance.choice(
            (*_NUMBERS, *_NO_NUMBERS, "$1.2M", "1 %", "5 \u20ac", "$ 5", "(5", "$$5")
        )
    before, rest = form.split("1", 1)
    thousands = rest[: rest.index("234")]
    mark, after = rest[rest.index("234") + 3], rest[rest.index("234") + 5 :]
    whole = str(chance.choice((0, 5, 12, 999, 1000, 1234, 98_765, 1_234_567, 12_345_678)))
    groups = chance.random()
    if groups < 0.6:
        whole = f"{int(whole):,}".replace(",", thousands)
    elif groups < 0.7 and len(whole) > 5 and thousands:
        head = whole[:-3]
        pairs = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
        whole = thousands.join([*pairs, whole[-3:]])
    fraction = chance.choice(("", mark, mark + "5", mark + "25", mark + "123456789012345678"))
    number = whole + fraction
    if odd:
        number = chance.choice(
            (
                number[::-1],
                number + thousands,
                number.replace(thousands or ".", " ", 1),
                "1e3" + mark,
            )
        )
    if chance.random() < 0.1:
        number += chance.choice(("e2", "E-3", "e+1"))
    unit = (before or after).strip()
    space = chance.choice(("", "", " ", "\u00a0", "\u202f", "  "))
    side = chance.random()
    if side < 0.15:
        amount = number
    elif side < 0.6:
        amount = unit + space + number
    else:
        amount = number + space + unit
    return chance.choice(
        (
            amount, amount, amount, "-" + amount, "+" + amount, amount + "-", f"({amount})",
            "\u2212" + amount, "\u2013" + amount, f"{unit}-{number}", f"{unit}({number})",
            "- " + amount,
        )
    ).replace("'", chance.choice("''\u2019"))  # fmt: skip


def _moment(chance: random.Random) -> datetime.datetime:
    draw = chance.random()
    if draw < 0.15:
        return chance.choice(_EDGES)
    seconds = chance.randrange(-2_000_000_000, 3_500_000_000)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    if draw < 0.45:
        return datetime.datetime(moment.year, moment.month, moment.day)
    if draw < 0.75:
        return moment
    return moment + datetime.timedelta(microseconds=chance.choice((1, 500_000, 123_456, 999_999)))


def _date(chance: random.Random, column: Column, *, odd: bool) -> str:
    if odd:
        return chance.choice(_NO_DATES if chance.random() < 0.6 else _DATES_ELSEWHERE)
    moment = _moment(chance)
    zoned = column.form == "iso utc" or "%z" in column.form
    if zoned:
        zone = ZoneInfo(chance.choice(_ZONES))
        try:
            moment = moment.replace(tzinfo=datetime.UTC).astimezone(zone)
        except OverflowError:
            moment = moment.replace(tzinfo=datetime.UTC)
    if not column.form.startswith("iso") and chance.random() < 0.9:
        # Two digits of a year, and years of less than four, are written as the platform does.
        text = moment.strftime(column.form)
        return text.lower() if chance.random() < 0.1 else text
    if not zoned and moment.time() == datetime.time() and chance.random() < 0.7:
        return f"{moment.date()}"[: 7 if moment.day == 1 and chance.random() < 0.5 else 10]
    exactness = chance.choice(("auto", "auto", "seconds", "milliseconds", "microseconds"))
    text = moment.isoformat(chance.choice("T "), exactness)
    if not zoned:
        return text.replace(".", ",") if chance.random() < 0.05 else text
    return chance.choice(
        (text, text.replace("+00:00", "Z"), text[:-3] + text[-2:], text[:-6] + " " + text[-6:])
    )


def _time(chance: random.Random, column: Column, *, odd: bool) -> str:
    if odd:
        return chance.choice((*_NO_TIMES, "8:30", "08:30:15.25", "8:30 am", "12:00:00 PM"))
    seconds = chance.choice((0, 43_200, 86_399, 60 * chance.randrange(1440)))
    if chance.random() < 0.3:
        seconds = chance.randrange(86_400)
    moment = datetime.datetime(2025, 1, 31) + datetime.timedelta(seconds=seconds)
    halves = column.form == "time am/pm"
    text = f"{moment.hour % 12 or 12 if halves else moment.hour:02}{moment:%M}"
    text = f"{text[:2]}:{text[2:]}"
    if seconds % 60 or chance.random() < 0.2:
        text += f"{moment:%S}".rjust(3, ":")
        if chance.random() < 0.3:
            text += chance.choice((".5", ",25", ".123456", ".000", ".123456789"))
    if chance.random() < 0.3:
        text = text.removeprefix("0")
    if halves:
        half = f"{moment:%p}"
        text += chance.choice(("", " ")) + (half if chance.random() < 0.7 else half.lower())
    return text


def _truth(chance: random.Random, _column: Column, *, odd: bool) -> str:
    return chance.choice(_NO_TRUTH if odd else _TRUE + _FALSE)


def _category(chance: random.Random, column: Column, *, odd: bool) -> str:
    return chance.choice(_WORDS if odd else column.categories)


def _text(chance: random.Random, _column: Column, *, odd: bool) -> str:
    text = chance.choice(_TEXTS)
    if odd:
        return text * chance.choice((2, 40, 3000))
    return text if chance.random() < 0.5 else f"{text} {chance.randrange(1000)}"


_CELLS = {
    "number": _number,
    "money": _money,
    "date": _date,
    "time": _time,
    "truth": _truth,
    "category": _category,
    "text": _text,
}
