"""Profile a table: which columns are features, their kinds, and texts that mean "no value"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, islice

from ffn.errors import DataError, quote
from ffn.profiling.column_profile import Column
from ffn.profiling.date_columns import read_dates_and_truths
from ffn.profiling.exclusions import NO_VALUES, has_many_categories, why_unlikely
from ffn.profiling.number_marks import read_formatted, refuse_other_marks
from ffn.profiling.split_columns import SplitCandidate, split_candidates
from ffn.profiling.text_columns import why_texts
from ffn.quantities import counted
from ffn.settings.data_settings import DEFAULT_MISSING
from ffn.tabular.cell_forms import cell_form, form_text
from ffn.tabular.cells import trim
from ffn.tabular.ingestion.text_table import Table
from ffn.tabular.lookalikes import escaped, group_spellings
from ffn.tabular.schema import Kind
from ffn.tabular.training_table.label_reading import LabelReading, Resolved, cli_remedy

__all__ = ["TableProfile", "profile_table"]

# Not read as missing unless the settings say so; among numbers, they cannot mean anything else.
_MISSING_WORDS = {"na", "n/a", "nan", "nat", "null", "none", "missing", "unknown", "#n/a", "<na>"}
# What Excel writes where a formula has no value.
_MISSING_WORDS |= {"#div/0!", "#value!", "#num!", "#ref!", "#name?", "#null!"}
_MISSING_SIGNS = {"?", "-", "--", "."}
_REASONS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    """Profile of a table.

    Attributes
    ----------
    exclude
        Names of columns that are not features.
    kinds
        Kind of each feature, by name.
    formats
        What `cell_form` takes, by name, for features whose numbers have a unit or separators, and
        for dates and truth values.
    reasons
        What was recognised in a column of dates or truth values, by name, as a comment.
    missing
        Cell texts that mean "no value".
    labels
        Class by cell text of the target, if it differs from the text or was ambiguous.
    facts
        Comments for the settings.
    notices
        Sentences for the user.
    classes
        Number of classes.
    split
        Columns that look like a time or a group.
    why_kinds
        Why a feature is read as texts, or as codes and not as numbers, by name of those that are.
    """

    exclude: list[str]
    kinds: dict[str, Kind]
    formats: dict[str, str]
    missing: list[str]
    labels: dict[str, str]
    facts: list[str]
    notices: list[str]
    classes: int
    split: list[SplitCandidate] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    why_kinds: dict[str, str] = field(default_factory=dict)


def profile_table(
    table: Table,
    target: str,
    *,
    exclude: Sequence[str],
    missing: Sequence[str],
    keep: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    decimal: str = ".",
    formats: Mapping[str, str] | None = None,
) -> TableProfile:
    """Profile every column of ``table``.

    Parameters
    ----------
    table
        The table, in memory.
    target
        Name of the label column.
    exclude, missing, keep, labels, decimal, formats
        What the user specified, as for `ffn.profiling.scaffold.initialise`.

    Raises
    ------
    DataError
        A column has numbers with other marks than ``decimal``, of which no format is certain, or
        in several units; labels need a decision (`label_reading`); or no column is left to learn
        from.
    """
    given_formats = {name: cell_form(text) for name, text in (formats or {}).items()}
    found_formats: dict[str, str] = {}
    read = []
    reasons: dict[str, str] = {}
    left_out = dict.fromkeys(exclude, "")
    kinds: dict[str, Kind] = {}
    whys: dict[str, str] = {}
    doubts = []
    given = {trim(text) for text in missing}
    met: set[str] = set()
    both: list[tuple[str, str]] = []
    reading = LabelReading(labels=labels or {}, missing=given, decimal=decimal)
    targets = list(map(trim, table.columns[target]))
    counts = Counter(targets)
    resolved = reading.resolve(counts, f"{table.path.name}, column {quote(target)}", cli_remedy)
    labelled = [text in resolved.classes for text in targets]
    for name in table.header:
        if name == target or name in left_out:
            continue
        cells = [trim(cell) for cell in table.columns[name]]
        every = _column(name, cells, given, decimal)
        # Rows without a label are not trained on, but whether a column is an ID shows in all rows.
        column = every
        if resolved.unlabelled:
            column = _column(name, list(compress(cells, labelled)), given, decimal)
        column, reasons[name], doubt = read_dates_and_truths(column, given_formats.get(name))
        column, told = read_formatted(column, table.path.name, keep=name in keep)
        every = replace(every, form=column.form)
        read += told
        if column.form is not None:
            found_formats[name] = form_text(column.form)
        gaps = set(column.cells).difference(column.texts)
        if name not in keep:
            if column.form is None:
                refuse_other_marks(column, table.path.name)
            if reason := doubt or why_unlikely(every if column.texts else column):
                left_out[name] = reason
                continue
        kinds[name] = column.kind
        if column.codes:
            whys[name] = f"{column.codes}, not numbers"
            categories = counted(column.distinct, "category", "categories")
            read.append(f"column {quote(name)} is read as {categories}: {whys[name]}")
        elif column.kind == "numeric" and column.mixes_codes:
            kinds[name] = "categorical"
            categories = counted(column.distinct, "category", "categories")
            read.append(
                f"column {quote(name)} is read as {categories}: not all of its few texts are "
                f"numbers, such as {quote(column.words[0])}"
            )
        if reason := why_texts(every):
            kinds[name], whys[name] = "text", reason
            read.append(f"column {quote(name)} is read as texts: {reason}")
        if kinds[name] != "numeric":
            # Other words may be categories.
            gaps.intersection_update(DEFAULT_MISSING)
            both += [(name, text) for text in sorted(gaps & resolved.classes.keys())]
            gaps.difference_update(resolved.classes)
        met |= gaps
        doubts += _doubts(column, name in keep) if kinds[name] != "text" else []
    if not kinds and any(left_out.values()):
        raise _nothing_left(table, left_out)
    mean_missing = given | met | {""}
    spellings = sorted(mean_missing.difference(DEFAULT_MISSING))
    # A text that means "no value" in a feature may still be a class; the settings have to say so.
    classes = {text: text for text in resolved.classes if text in mean_missing}
    return TableProfile(
        exclude=list(left_out),
        kinds=kinds,
        formats={name: form for name, form in found_formats.items() if name in kinds},
        missing=[*(text for text in DEFAULT_MISSING if text in mean_missing), *spellings],
        labels=classes | dict(labels or {}),
        facts=_facts(table, target, len(kinds), counts, resolved),
        notices=[
            *read,
            *(
                f"column {quote(name)} is read as {why} (data.formats)"
                for name, why in reasons.items()
                if why.startswith(("dates", "times of day")) and name in kinds
            ),
            *(_told(name, why) for name, why in left_out.items() if why),
            *(f"cells {quote(spelling)} are read as missing" for spelling in spellings),
            *doubts,
            *(_both(name, text, target) for name, text in both if text not in mean_missing),
        ],
        classes=len(resolved.classes),
        split=split_candidates(table, target, mean_missing, decimal),
        reasons={name: why for name, why in reasons.items() if why and name in kinds},
        why_kinds=whys,
    )


def _column(name: str, cells: list[str], given: Collection[str], decimal: str) -> Column:
    gaps = {cell for cell in set(cells) if cell in given or _means_missing(cell)}
    texts = [cell for cell in cells if cell not in gaps]
    return Column(name=name, cells=cells, texts=texts, decimal=decimal)


def _means_missing(cell: str) -> bool:
    return cell in DEFAULT_MISSING or cell.casefold() in _MISSING_WORDS or cell in _MISSING_SIGNS


def _told(name: str, why: str) -> str:
    told = f"column {quote(name)} {why} and is left out"
    return told if why == NO_VALUES else f"{told} (--keep {quote(name)} keeps it)"


def _doubts(column: Column, kept: bool) -> list[str]:
    """Return notices about a feature."""
    found = []
    name, n, words = quote(column.name), len(column.texts), column.words
    if column.kind == "categorical" and len(words) < n / 2 and not column.codes:
        found.append(
            f"column {name} is read as categories: {n - len(words):,} of its {n:,} values are "
            f"numbers, the others are not, such as {quote(words[0])}"
        )
    if column.kind == "numeric" and column.padded:
        found.append(
            f"column {name} is read as numbers, some of them with zeros in front, such as "
            f'{quote(column.padded)} (if they are codes: {name} = "categorical" in [data.kinds])'
        )
    found += _spellings(column)
    if column.hint and column.kind == "categorical":
        found.append(column.hint)
    elif has_many_categories(column) and not kept and not column.codes:
        found.append(
            f"column {name} is read as {column.distinct:,} categories (--exclude {name} leaves "
            "it out)"
        )
    return found


def _spellings(column: Column) -> list[str]:
    """Return a notice if categories look like different spellings of the same one."""
    if column.kind != "categorical":
        return []
    rows = Counter(column.texts)
    alike = list(islice(group_spellings(rows, column.decimal), _REASONS_SHOWN + 1))
    if not alike:
        return []
    told = "; ".join(
        " and ".join(f"{escaped(text)} ({rows[text]:,} rows)" for text in spellings)
        for spellings in alike[:_REASONS_SHOWN]
    )
    more = "; and others" if len(alike) > _REASONS_SHOWN else ""
    return [
        f"column {quote(column.name)} has categories that look like spellings of the same one, but "
        f"count as different ones: {told}{more} (correct the table if they are the same)"
    ]


def _both(name: str, text: str, target: str) -> str:
    """Return a notice of a text that is a category only because it is a label, too."""
    return (
        f"cells {quote(text)} of column {quote(name)} are read as a category, because "
        f"{quote(text)} is also a label of {quote(target)}"
    )


def _nothing_left(table: Table, left_out: dict[str, str]) -> DataError:
    why = [f"column {quote(name)} {why}" for name, why in left_out.items() if why]
    more = f"; and so on, {len(why)} columns" if len(why) > _REASONS_SHOWN else ""
    return DataError(
        f"{table.path.name}: no column is left to learn from: "
        f"{'; '.join(why[:_REASONS_SHOWN])}{more}. Add a column that distinguishes the "
        "classes, or give --keep COLUMN for one of these that is a feature."
    )


def _facts(
    table: Table, target: str, n_features: int, counts: Mapping[str, int], resolved: Resolved
) -> list[str]:
    rows: Counter[str] = Counter()
    for text, label in resolved.classes.items():
        rows[label] += counts[text]
    shown = ", ".join(f"{quote(label, 30)} {n}" for label, n in sorted(rows.items())[:12])
    unlabelled = f", {resolved.unlabelled} without a label" if resolved.unlabelled else ""
    return [
        f"{counted(len(table.lines), 'row')}{unlabelled}, {counted(n_features, 'feature')}.",
        f"Classes of {quote(target, 30)}: {shown}{', …' if len(rows) > 12 else ''}.",
    ]
