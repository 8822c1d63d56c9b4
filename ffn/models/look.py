"""A look at a table: which columns are features, of what kind, and what means "no value"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ffn.errors import DataError, quote
from ffn.models.settings.document import DEFAULT_MISSING
from ffn.tabular.cells import numbers, trim
from ffn.tabular.table import Table

__all__ = ["Look", "look"]

_ID_NAME = re.compile(
    r"(?i:(?:.*[_ .-])?(?:id|uuid|guid|index|rowid|row_id|key)|Unnamed: 0|)|.*[a-z]I[dD]"
)
# Numbers as those write them who have the other decimal mark, thousands separated or not.
_OTHER_DECIMAL = {
    ".": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+"),
    ",": re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\.[0-9]+"),
}
# Not read as missing unless the settings say so; met among numbers, they can be nothing else.
_MISSING_WORDS = {"na", "n/a", "nan", "nat", "null", "none", "missing", "unknown", "#n/a", "<na>"}
_MISSING_SIGNS = {"?", "-", "--", "."}
_NEARLY_ALL = 0.9


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was found.

    Attributes
    ----------
    exclude
        Columns that are not features.
    kinds
        Of the features.
    missing
        Cell texts that mean "no value".
    facts, notices
        Comments for the settings, and sentences for the user.
    """

    exclude: list[str]
    kinds: dict[str, str]
    missing: list[str]
    facts: list[str]
    notices: list[str]


def look(
    table: Table,
    target: str,
    *,
    exclude: Sequence[str],
    missing: Sequence[str],
    decimal: str = ".",
) -> Look:
    """Look at every column of ``table``; ``exclude`` and ``missing`` are known beforehand.

    Raises
    ------
    DataError
        A column has decimals of the other kind than ``decimal``.
    """
    left_out = dict.fromkeys(exclude, "")
    kinds: dict[str, str] = {}
    doubts = []
    spellings = dict.fromkeys(trim(text) for text in missing)
    known = {*DEFAULT_MISSING, *spellings}
    seen: set[str] = set()
    for column in table.header:
        if column == target or column in left_out:
            continue
        cells = [trim(cell) for cell in table.columns[column]]
        texts = [cell for cell in cells if cell not in known and not _means_missing(cell)]
        values, wrong = numbers(texts, (), decimal)
        words = [texts[i] for i in wrong]
        _refuse_other_decimals(table, column, texts, words, decimal)
        reason = _why_not_a_feature(column, cells, texts, words, values)
        if reason:
            left_out[column] = reason
            continue
        seen.update(cells)
        kinds[column] = "categorical"
        if len(words) <= (1 - _NEARLY_ALL) * len(texts):
            kinds[column] = "numeric"
            spellings |= dict.fromkeys(c for c in cells if c not in known and _means_missing(c))
        elif len(words) < len(texts) / 2:
            doubts.append(
                f"column {quote(column)} is taken for categories: {len(texts) - len(words)} of its "
                f"{len(texts)} values are numbers, the others are not, such as {quote(words[0])}"
            )
    return Look(
        exclude=list(left_out),
        kinds=kinds,
        missing=[*(t for t in DEFAULT_MISSING if not t or t in seen), *sorted(spellings)],
        facts=_facts(table, target, len(kinds)),
        notices=[
            *(f"column {quote(c)} {why} and is left out" for c, why in left_out.items() if why),
            *(f"cells {quote(spelling)} are taken for missing" for spelling in sorted(spellings)),
            *doubts,
        ],
    )


def _means_missing(cell: str) -> bool:
    return cell.casefold() in _MISSING_WORDS or cell in _MISSING_SIGNS


def _why_not_a_feature(
    column: str, cells: list[str], texts: list[str], words: list[str], values: Iterable[float]
) -> str:
    """Return what a column is instead of a feature, or an empty string."""
    if not texts:
        return "has no values"
    all_differ = len(set(texts)) == len(cells)
    if all_differ and _ID_NAME.fullmatch(column):
        return "looks like an id"
    if all_differ and not words and len(cells) > 1:
        ordered = np.sort(np.fromiter(values, dtype=float))
        if ordered[0] in (0, 1) and (np.diff(ordered) == 1).all():
            return "counts the rows"
    if len(words) == len(texts) and len(set(texts)) > max(100, len(cells) // 2):
        return "has a text of its own in most rows (an id, a date, a note?)"
    return ""


def _refuse_other_decimals(
    table: Table, column: str, texts: list[str], words: list[str], decimal: str
) -> None:
    """Refuse a column that is numbers but for the decimal mark: as categories it is worthless."""
    found = [word for word in words if _OTHER_DECIMAL[decimal].fullmatch(word)]
    if found and len(words) - len(found) <= (1 - _NEARLY_ALL) * len(texts):
        has, read, remedy = (
            ("comma", "point", '","') if decimal == "." else ("point", "comma", '"."')
        )
        raise DataError(
            f"{table.path.name}, column {quote(column)}: {quote(found[0])} has a decimal {has}; "
            f"numbers are read with a decimal {read}. Give --decimal {remedy}, or leave the "
            f"column out: --exclude {quote(column)}."
        )


def _facts(table: Table, target: str, n_features: int) -> list[str]:
    counts = Counter(trim(cell) for cell in table.columns[target])
    shown = ", ".join(f"{quote(label, 30)} {n}" for label, n in sorted(counts.items())[:12])
    return [
        f"{len(table.lines)} rows, {n_features} features.",
        f"Classes of {quote(target, 30)}: {shown}{', …' if len(counts) > 12 else ''}.",
    ]
