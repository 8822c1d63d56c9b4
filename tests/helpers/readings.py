"""What a test sees of a CSV file: plain tuples, independent of how it was cut into blocks."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records


class Good(NamedTuple):
    row: int
    line: int
    text: bytes
    line_end: bytes
    cells: list[str]


class Reading(NamedTuple):
    names: tuple[str, ...]
    good: list[Good]
    rejects: list[Reject]
    rows: int
    blank_lines: int


class Trickle(io.BytesIO):
    """A pipe that gives no more than ``at_once`` bytes at a time, however many are asked for."""

    def __init__(self, content: bytes, at_once: int) -> None:
        super().__init__(content)
        self._at_once = at_once

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._at_once)


def read(content: bytes, *, at_once: int = 1_000_000, **options: Any) -> Reading:
    records = Records(Trickle(content, at_once), "t.csv", **options)
    good: list[Good] = []
    rejects: list[Reject] = []
    for block in records:
        columns = [block.cells(c) for c in range(len(records.header.names))]
        places = (block.rows.tolist(), block.lines.tolist())
        cells = map(list, zip(*columns, strict=True))
        good += map(Good, *places, block.records(), block.line_ends(), cells)
        rejects += block.rejects
    return Reading(records.header.names, good, rejects, records.rows, records.blank_lines)


def reasons(content: bytes, **options: Any) -> list[tuple[int, int, str]]:
    """Row, line and reason of each reject."""
    return [(r.row, r.line, str(r.reason)) for r in read(content, **options).rejects]
