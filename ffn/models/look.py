"""A look at a table: which columns are features, of what kind, and what means "no value"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ffn.errors import DataError, quote
from ffn.models.column import Column
from ffn.models.number_marks import read_formatted, refuse_other_marks
from ffn.models.settings.document import DEFAULT_MISSING
from ffn.models.unlikely import NO_VALUES, has_many_categories, why_unlikely
from ffn.quantities import counted
from ffn.tabular.cells import trim
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind
from ffn.tabular.table import Table

__all__ = ["Look", "look"]

# Not read as missing unless the settings say so; met among numbers, they can be nothing else.
_MISSING_WORDS = {"na", "n/a", "nan", "nat", "null", "none", "missing", "unknown", "#n/a", "<na>"}
# What Excel writes where a formula has no value.
_MISSING_WORDS |= {"#div/0!", "#value!", "#num!", "#ref!", "#name?", "#null!"}
_MISSING_SIGNS = {"?", "-", "--", "."}
_REASONS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was found.

    Attributes
    ----------
    exclude
        Columns that are not features.
    kinds
        Of the features.
    formats
        Of those whose numbers are not plain, as an example.
    missing
        Cell texts that mean "no value".
    facts, notices
        Comments for the settings, and sentences for the user.
    """

    exclude: list[str]
    kinds: dict[str, Kind]
    formats: dict[str, str]
    missing: list[str]
    facts: list[str]
    notices: list[str]


def look(
    table: Table,
    target: str,
    *,
    exclude: Sequence[str],
    missing: Sequence[str],
    keep: Sequence[str] = (),
    decimal: str = ".",
    formats: Mapping[str, str] | None = None,
) -> Look:
    """Look at every column of ``table``; what comes behind the target is known beforehand.

    Raises
    ------
    DataError
        A column has numbers with other marks than ``decimal``, of which no format is certain, or
        in several units; a text in it means "no value" and is a label too; or no column is left
        to learn from.
    """
    given_formats = {name: NumberFormat.of(text) for name, text in (formats or {}).items()}
    found_formats: dict[str, str] = {}
    read = []
    left_out = dict.fromkeys(exclude, "")
    kinds: dict[str, Kind] = {}
    doubts = []
    given = {trim(text) for text in missing}
    met: set[str] = set()
    labels = {trim(label) for label in table.columns[target]} - {""} - given
    for name in table.header:
        if name == target or name in left_out:
            continue
        cells = [trim(cell) for cell in table.columns[name]]
        gaps = {cell for cell in set(cells) if cell in given or _means_missing(cell)}
        texts = [cell for cell in cells if cell not in gaps]
        column = Column(name=name, cells=cells, texts=texts, decimal=decimal)
        column, told = read_formatted(
            column, table.path.name, given=given_formats.get(name), keep=name in keep
        )
        read += told
        if column.form is not None:
            found_formats[name] = column.form.example
        if name not in keep:
            if column.form is None:
                refuse_other_marks(column, table.path.name)
            if reason := why_unlikely(column):
                left_out[name] = reason
                continue
        kinds[name] = column.kind
        if column.kind == "categorical":
            # Other words may be categories.
            gaps.intersection_update(DEFAULT_MISSING)
        met |= gaps - labels
        doubts += [_both(column, text, target, table.path.name) for text in sorted(gaps & labels)]
        doubts += _doubts(column, name in keep)
    if not kinds and any(left_out.values()):
        raise _nothing_left(table, left_out)
    mean_missing = given | met | {""}
    spellings = sorted(mean_missing.difference(DEFAULT_MISSING))
    return Look(
        exclude=list(left_out),
        kinds=kinds,
        formats={name: form for name, form in found_formats.items() if name in kinds},
        missing=[*(text for text in DEFAULT_MISSING if text in mean_missing), *spellings],
        facts=_facts(table, target, len(kinds)),
        notices=[
            *read,
            *(_told(name, why) for name, why in left_out.items() if why),
            *(f"cells {quote(spelling)} are taken for missing" for spelling in spellings),
            *doubts,
        ],
    )


def _means_missing(cell: str) -> bool:
    return cell in DEFAULT_MISSING or cell.casefold() in _MISSING_WORDS or cell in _MISSING_SIGNS


def _told(name: str, why: str) -> str:
    told = f"column {quote(name)} {why} and is left out"
    return told if why == NO_VALUES else f"{told} (--keep {quote(name)} keeps it)"


def _doubts(column: Column, kept: bool) -> list[str]:
    """Return what the user should know of a feature."""
    found = []
    name, n, words = quote(column.name), len(column.texts), column.words
    if column.kind == "categorical" and len(words) < n / 2:
        found.append(
            f"column {name} is taken for categories: {n - len(words):,} of its {n:,} values are "
            f"numbers, the others are not, such as {quote(words[0])}"
        )
    if column.hint and column.kind == "categorical":
        found.append(column.hint)
    elif has_many_categories(column) and not kept:
        found.append(
            f"column {name} is taken for {column.distinct:,} categories, an input each (--exclude "
            f"{name} leaves it out)"
        )
    return found


def _both(column: Column, text: str, target: str, where: str) -> str:
    """Say that a label is not taken for missing, where a column allows it."""
    if column.kind == "numeric":
        raise DataError(
            f'{where}, column {quote(column.name)}: {quote(text)} means "no value" among these '
            f"numbers, and is a label in column {quote(target)} as well. Leave these cells empty, "
            f"rename the label or take its rows out, or give --exclude {quote(column.name)}."
        )
    return (
        f"cells {quote(text)} of column {quote(column.name)} are taken for a category, for "
        f"{quote(text)} is a label of {quote(target)} too"
    )


def _nothing_left(table: Table, left_out: dict[str, str]) -> DataError:
    why = [f"column {quote(name)} {why}" for name, why in left_out.items() if why]
    more = f"; and so on, {len(why)} columns" if len(why) > _REASONS_SHOWN else ""
    return DataError(
        f"{table.path.name}: no column is left to learn from: "
        f"{'; '.join(why[:_REASONS_SHOWN])}{more}. Add a column that tells the classes apart, or "
        "give --keep COLUMN for one that is a feature nevertheless."
    )


def _facts(table: Table, target: str, n_features: int) -> list[str]:
    counts = Counter(trim(cell) for cell in table.columns[target])
    shown = ", ".join(f"{quote(label, 30)} {n}" for label, n in sorted(counts.items())[:12])
    return [
        f"{counted(len(table.lines), 'row')}, {counted(n_features, 'feature')}.",
        f"Classes of {quote(target, 30)}: {shown}{', …' if len(counts) > 12 else ''}.",
    ]
