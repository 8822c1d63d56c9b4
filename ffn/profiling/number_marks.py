"""Detect number formats such as ``$1,234.50`` or ``12%``, and refuse ambiguous ones."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import replace

from ffn.errors import DataError, quote
from ffn.profiling.column_profile import Column
from ffn.tabular.columns.format_recognition import Doubt, Found, recognise_format
from ffn.tabular.number_format import NumberFormat

__all__ = ["read_formatted", "refuse_other_marks"]

# By the decimal mark of the file: numbers with the other decimal mark, with or without separated
# thousands; and numbers with the same decimal mark and separated thousands.
_OTHER_DECIMAL = {
    ".": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+"),
    ",": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\.[0-9]+"),
}
_THOUSANDS = {
    ".": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"),
    ",": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?"),
}
_NEARLY_ALL = 0.9
# So few texts are read as categories: 5 mg, 10 mg and 1 g may be doses.
_FEW = 20


def read_formatted(column: Column, where: str, *, keep: bool) -> tuple[Column, list[str]]:
    """Detect the format of a column's numbers; return the column with it, and notices for the user.

    Parameters
    ----------
    column
        The column; one that has a form already stays as it is.
    where
        Name of the table in errors.
    keep
        Whether the user wants the column as a feature, whatever it looks like.

    Raises
    ------
    DataError
        The column holds numbers in an uncertain format, or in several units.
    """
    if column.form is not None or not column.words:
        return column, []
    found = recognise_format(Counter(column.texts), column.decimal)
    if isinstance(found, Found):
        return replace(column, form=found.format), [_told(column, found)]
    # Doubts about marks without a unit are left to `refuse_other_marks`, which suggests a format.
    if isinstance(found, Doubt) and (not found.formats or found.formats[0].unit):
        options = [
            shlex.join(["--format", f"{column.name}={form.example}"]) for form in found.formats
        ]
        remedies = [f"Give {' or '.join(options)}"] if options else []
        text = f"column {quote(column.name)} {found.text}"
        if not found.numbers:
            read = f"is read as {column.distinct} categories"
            hint = f"{text}, and {read} ({options[0]} reads it as numbers)"
            return replace(column, hint=hint), []
        if keep or column.distinct <= _FEW:
            return column, [f"{text}. It is read as {column.distinct} categories"]
        leave = ", leave" if remedies else "Leave"
        raise DataError(
            f"{where}, {text}. {''.join(remedies)}{leave} the column out (--exclude "
            f"{quote(column.name)}), or keep it as categories (--keep {quote(column.name)})."
        )
    return column, []


def _told(column: Column, found: Found) -> str:
    name, unit = quote(column.name), found.format.unit
    number = f"{found.value:.15g}"
    told = f"column {name} is read as numbers"
    if unit:
        told += f" in {quote(unit)}"
    told += f": {quote(found.example)} is {number}"
    if found.bare:
        told += (
            f"; {found.bare:,} of its {len(column.texts):,} values have no {quote(unit)} and are "
            "read in the same unit"
        )
    return f"{told} (data.formats)"


def refuse_other_marks(column: Column, where: str) -> None:
    """Refuse a column whose texts are numbers with other marks: as categories it would be useless.

    "16,126" may be 16.126 or 16126, and a wrong choice would go unnoticed. So if every comma (or
    point) may separate thousands, the error does not suggest it as the decimal mark.

    Parameters
    ----------
    column
        The column, read with its own decimal mark.
    where
        Name of the table in errors.

    Raises
    ------
    DataError
        At least nine tenths of the texts are such numbers or plain ones.
    """
    decimal = column.decimal
    thousands = [word for word in column.words if _THOUSANDS[decimal].fullmatch(word)]
    decimals = [
        word
        for word in column.words
        if _OTHER_DECIMAL[decimal].fullmatch(word) and not _THOUSANDS[decimal].fullmatch(word)
    ]
    found = decimals or thousands
    others = len(column.words) - len(decimals) - len(thousands)
    if not found or others > (1 - _NEARLY_ALL) * len(column.texts):
        return
    has, read, other = ("comma", "point", ",") if decimal == "." else ("point", "comma", ".")
    told, remedy = f"has a decimal {has}", f"Give --decimal {quote(other)}"
    if not decimals:
        told = f"has a {has} that may separate thousands"
        example = NumberFormat(thousands=other, decimal=decimal).example
        remedy = f"If it does, give {shlex.join(['--format', f'{column.name}={example}'])}"
    raise DataError(
        f"{where}, column {quote(column.name)}: {quote(found[0])} {told}; numbers are read with a "
        f"decimal {read}. {remedy}, leave the column out (--exclude {quote(column.name)}), or keep "
        f"it as categories (--keep {quote(column.name)})."
    )
