"""Numbers with marks that are not read: the other decimal mark, and marks between thousands."""

from __future__ import annotations

import re

from ffn.errors import DataError, quote
from ffn.models.column import Column

__all__ = ["refuse_other_marks"]

# By the decimal mark that is read. As those write them who have the other one, thousands
# separated or not; and as those who have the same one, and separate thousands.
_OTHER_DECIMAL = {
    ".": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+"),
    ",": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\.[0-9]+"),
}
_THOUSANDS = {
    ".": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"),
    ",": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?"),
}
_NEARLY_ALL = 0.9


def refuse_other_marks(column: Column, where: str) -> None:
    """Refuse a column that is numbers but for their marks: as categories it is worthless.

    Raises
    ------
    DataError
        It is. "16,126" may be sixteen or sixteen thousand, and is read as either in silence: where
        each mark stands before three digits, the other decimal mark is not advised.
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
        remedy = f"Take such {has}s out ({quote(found[0].replace(other, ''))})"
    raise DataError(
        f"{where}, column {quote(column.name)}: {quote(found[0])} {told}; numbers are read with a "
        f"decimal {read}. {remedy}, leave the column out (--exclude {quote(column.name)}), or keep "
        f"it as categories (--keep {quote(column.name)})."
    )
