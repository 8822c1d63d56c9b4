"""What to write into the settings for a column whose numbers are not plain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ffn.errors import quote
from ffn.tabular.columns.format_recognition import Doubt, Found, recognise_format
from ffn.tabular.number_format import NumberFormat

__all__ = ["advice_on_format", "in_toml"]


def in_toml(name: str, form: NumberFormat) -> str:
    """Return the line of ``[data.formats]`` that declares a column's format."""
    key = name if re.fullmatch("[A-Za-z0-9_-]+", name) else _toml(name)
    return f"{key} = {_toml(form.example)}"


def advice_on_format(name: str, rows: Mapping[str, int], decimal: str) -> str:
    """Return a sentence on how to have a column read as numbers; empty if it holds none.

    Parameters
    ----------
    rows
        Rows by trimmed text, without those that mean "no value".
    decimal
        The mark of plain numbers.
    """
    found = recognise_format(rows, decimal)
    if isinstance(found, Found):
        sign = f" with the sign {quote(found.format.unit)}" if found.format.unit else ""
        return (
            f"Cells such as {quote(found.example)} are numbers{sign}: to read them, add "
            f"{in_toml(name, found.format)} under [data.formats]."
        )
    if isinstance(found, Doubt):
        lines = " or ".join(in_toml(name, form) for form in found.formats)
        remedy = f": add {lines} under [data.formats]" if lines else ""
        return f"It {found.text}{remedy}."
    return ""


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
