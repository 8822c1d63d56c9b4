"""Suggested settings for a column of formatted numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ffn.errors import quote
from ffn.tabular.columns.format_recognition import Doubt, Found, recognise_format
from ffn.tabular.dates.clock_recognition import TimesFound, recognise_times
from ffn.tabular.dates.date_recognition import DatesFound, DatesInDoubt, recognise_dates

__all__ = ["advice_on_dates", "advice_on_format"]


def advice_on_format(name: str, rows: Mapping[str, int], decimal: str) -> str:
    """Return a sentence on how to read a column as numbers; empty if it has no formatted numbers.

    Parameters
    ----------
    name
        Header of the column.
    rows
        Number of rows by trimmed text, without texts that mean "no value".
    decimal
        Decimal mark of plain numbers.
    """
    found = recognise_format(rows, decimal)
    if isinstance(found, Found):
        sign = f" with the sign {quote(found.format.unit)}" if found.format.unit else ""
        return (
            f"Cells such as {quote(found.example)} are numbers{sign}: to read them, add "
            f"{_in_toml(name, found.format.example)} under [data.formats]."
        )
    if isinstance(found, Doubt):
        lines = " or ".join(_in_toml(name, form.example) for form in found.formats)
        remedy = f": add {lines} under [data.formats]" if lines else ""
        return f"It {found.text}{remedy}."
    return ""


def advice_on_dates(name: str, rows: Mapping[str, int]) -> str:
    """Return a sentence on how to read a column as dates or times; empty if it has none.

    Parameters
    ----------
    name
        Header of the column.
    rows
        Number of rows by trimmed text, without texts that mean "no value".
    """
    found = recognise_dates(rows)
    if isinstance(found, DatesFound):
        return (
            f"Cells such as {quote(next(iter(rows)))} are dates: to read them, add "
            f"{_in_toml(name, found.form.text)} under [data.formats]."
        )
    if isinstance(found, DatesInDoubt) and found.forms:
        lines = " or ".join(_in_toml(name, form.text) for form in found.forms)
        return f"It {found.text}: to read them, add {lines} under [data.formats]."
    times = recognise_times(rows)
    if times is None or times.form is None:
        return ""
    line = f"to read them, add {_in_toml(name, times.form.text)} under [data.formats]."
    if isinstance(times, TimesFound):
        return f"Cells such as {quote(next(iter(rows)))} are times of day: {line}"
    return f"It {times.text}: {line}"


def _in_toml(name: str, form: str) -> str:
    key = name if re.fullmatch("[A-Za-z0-9_-]+", name) else _toml(name)
    return f"{key} = {_toml(form)}"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
