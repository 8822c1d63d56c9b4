"""Columns by which rows may have to be split: times, and groups such as customers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from ffn.errors import quote
from ffn.leakage.group_names import is_named_like_a_group
from ffn.quantities import counted
from ffn.tabular.cells import trim
from ffn.tabular.ingestion.text_table import Table
from ffn.tabular.splitting.points_in_time import fitting_forms, parse_time, time_text

__all__ = ["SplitCandidate", "split_candidates"]

# Numbers are times only where the name says so, and they are years or seconds since 1970.
_YEAR_NAME = re.compile(r"(?i:(?:.*[_ .-])?year|.*[a-z]Year)")
_SECONDS_NAME = re.compile(r"(?i:(?:.*[_ .-])?(?:epoch|timestamp|unixtime|unix_time|ts))")
_BIRTH_NAME = re.compile(r"(?i:.*(?:birth|\bdob\b|born).*)")
_CODE = re.compile(
    r"[A-Za-z]{1,8}[_-]?[0-9]{1,12}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_FEWEST_TIMES, _FEWEST_GROUPS = 5, 10
_MOST_GROUPS_SHARE, _REPEATED_SHARE = 0.5, 0.5
_CELLS_TRIED = 2_000
_NEARLY_ALL = 0.95
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class SplitCandidate:
    """A column that may be a time or a group.

    Attributes
    ----------
    key
        Key of ``[split]`` that would name it.
    column
        Its header.
    why
        What it looks like, as a clause.
    forms
        Formats of which ``time_format`` would have to be one; empty where none is needed.
    """

    key: Literal["time", "group"]
    column: str
    why: str
    forms: tuple[str, ...] = ()

    @property
    def notice(self) -> str:
        """A sentence for the user, without a full stop."""
        what = {
            "time": "if later rows will be scored than are trained on",
            "group": "if others will be scored than are trained on",
        }
        return (
            f"column {quote(self.column)} looks like a {self.key} ({self.why}): {what[self.key]}, "
            f"set split.{self.key} in pipeline.toml, or the figures promise too much"
        )


def split_candidates(
    table: Table, target: str, missing: Collection[str], decimal: str = "."
) -> list[SplitCandidate]:
    """Return the columns that look like a time or a group, at most three of each.

    Parameters
    ----------
    table
        The table, in memory.
    target
        Name of the label column, which is neither.
    missing
        Trimmed texts that mean "no value": a column with such cells could not be used.
    decimal
        Decimal mark of plain numbers.
    """
    times, groups = [], []
    for name in table.header:
        if name == target or not name:
            continue
        cells = [trim(cell) for cell in table.columns[name]]
        rows = Counter(cells)
        if rows.keys() & {"", *missing}:
            continue
        found = _as_time(name, cells, rows, decimal)
        if found:
            times.append(found)
        elif found := _as_group(name, rows, len(cells)):
            groups.append(found)
    return [*times[:_SHOWN], *groups[:_SHOWN]]


def _as_time(
    name: str, cells: list[str], rows: Counter[str], decimal: str
) -> SplitCandidate | None:
    if len(rows) < _FEWEST_TIMES or _BIRTH_NAME.fullmatch(name):
        return None
    texts = list(rows)
    tried = texts[:_CELLS_TRIED]
    points = {text: parse_time(text, None, decimal) for text in tried}
    kinds = {point.kind if point else None for point in points.values()}
    forms: list[str] = []
    if kinds == {"number"}:
        values = [point.value for point in points.values() if point]
        years = all(1900 <= value <= 2100 and value == int(value) for value in values)
        seconds = all(value >= 1e8 for value in values)
        dates = [form for form in fitting_forms(tried) if form == "%Y%m%d"]
        if dates:
            forms = dates
        elif not (years and _YEAR_NAME.fullmatch(name)) and not (
            seconds and _SECONDS_NAME.fullmatch(name)
        ):
            return None
    elif None in kinds or len(kinds) != 1:
        forms = fitting_forms(tried)
        if not forms:
            return None
    form = forms[0] if forms else None
    first, last = parse_time(cells[0], form, decimal), parse_time(cells[-1], form, decimal)
    if first is None or last is None:
        return None
    why = counted(len(rows), "different time")
    if len(forms) < 2:
        read = [parse_time(text, form, decimal) for text in tried]
        values = [point.value for point in read if point]
        ends = [time_text(first.kind, value) for value in (min(values), max(values))]
        why += f", {ends[0]} to {ends[1]}" if len(tried) == len(texts) else ""
        ordered = [
            p.value for cell in cells[:_CELLS_TRIED] if (p := parse_time(cell, form, decimal))
        ]
        why += ", in ascending order" if ordered == sorted(ordered) else ""
    return SplitCandidate(key="time", column=name, why=why, forms=tuple(forms))


def _as_group(name: str, rows: Counter[str], n: int) -> SplitCandidate | None:
    if not _FEWEST_GROUPS <= len(rows) <= _MOST_GROUPS_SHARE * n:
        return None
    named = is_named_like_a_group(name)
    coded = sum(bool(_CODE.fullmatch(text)) for text in rows)
    repeated = sum(count > 1 for count in rows.values())
    if repeated < _REPEATED_SHARE * len(rows) or not (named or coded >= _NEARLY_ALL * len(rows)):
        return None
    least, most = min(rows.values()), max(rows.values())
    each = f"each in {least:,}" if least == most else f"in {least:,} to {most:,}"
    what = "named like an id" if named else "codes"
    why = f"{counted(len(rows), 'different value')}, {each} rows, {what}"
    return SplitCandidate(key="group", column=name, why=why)
