"""The columns by which rows are split, time and group, read beside the features."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, quote
from ffn.storage.npy import ArrayFile
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.splitting.hashing import text_digest
from ffn.tabular.splitting.points_in_time import TimeKind, TimePoint, fitting_forms, parse_time

__all__ = ["GROUPS", "TEST_UNLABELLED", "TIMES", "UNLABELLED", "KeyColumns", "check_keys"]

Array = npt.NDArray[Any]

TIMES, GROUPS = "times.npy", "groups.npy"
# Row numbers of the file, and of that of held-out rows, that have no label, or the weight 0.
UNLABELLED, TEST_UNLABELLED = "unlabelled.npy", "test_unlabelled.npy"
# Cells whose meaning is remembered; when there are more, it is found out again.
_MOST_KNOWN = 2**18
_CELLS_TRIED = 1_000
_IN_WORDS: dict[TimeKind, str] = {
    "number": "a number",
    "date": "a date without a time zone",
    "instant": "a date with a time zone",
}


def check_keys(
    keys: dict[str, str | None],
    header: Sequence[str],
    target: str,
    where: str,
    hint: str = "",
    *,
    table: str = "split",
) -> None:
    """Check that columns that are no features exist and are not the target.

    Parameters
    ----------
    keys
        Column by key of ``table``, such as ``time`` and ``group``; None where it is not set.
    header
        Column names of the file.
    target
        The label column.
    where
        Name of the file in errors.
    hint
        Advice for a missing column; by default its error lists the columns of the file.
    table
        Table of the settings that has the keys; by default ``[split]``.

    Raises
    ------
    SettingsError
        A column does not exist, or is the target.
    """
    for key, name in keys.items():
        if name is not None and name not in header:
            found = f".{hint}" if hint else columns_found(name, header)
            raise SettingsError(
                f"{where} has no column {quote(name)}, which {table}.{key} names{found}"
            )
        if name is not None and name == target:
            raise SettingsError(
                f"{where}: {table}.{key} names {quote(name)}, which is the target. Name the column "
                f"that holds the {key} of a row."
            )


class KeyColumns:
    """Reader of the time and the group of each row; a row without one is refused.

    Parameters
    ----------
    folder
        Where the arrays are written when `__enter__` is called.
    time, group
        The two columns as name and position in a record; None for none.
    missing_values, decimal
        As in `DataSettings`.
    time_format
        Format of the times, as `parse_time` takes it; None for ISO 8601 or numbers.

    Attributes
    ----------
    kind
        Kind of the times read so far; None before the first.
    """

    def __init__(
        self,
        folder: Path,
        time: tuple[str, int] | None,
        group: tuple[str, int] | None,
        *,
        missing_values: Sequence[str],
        decimal: str,
        time_format: str | None,
    ) -> None:
        self._folder, self._time, self._group = folder, time, group
        self._missing, self._decimal, self._format = missing_values, decimal, time_format
        self._files = ExitStack()
        self._times: ArrayFile | None = None
        self._groups: ArrayFile | None = None
        self._points: dict[str, TimePoint] = {}
        self._digests: dict[str, int] = {}
        self.kind: TimeKind | None = None

    def __enter__(self) -> KeyColumns:
        return self

    def __exit__(self, *problem: Any) -> None:
        self._files.__exit__(*problem)

    def read(self, block: Block, where: str) -> None:
        """Read and write time and group of each row of ``block``; ``where`` names the file.

        Raises
        ------
        DataError
            A cell is missing, or is no point in time, or not of the kind of those before it.
        """
        if self._time is not None:
            points = self._read_times(block, where)
            if self._times is None:
                # Only now is it known whether they are whole numbers of microseconds.
                dtype = np.float64 if self.kind == "number" else np.int64
                self._times = self._open(TIMES, dtype)
            self._times.append(np.array(points, dtype=np.float64 if self.kind == "number" else int))
        if self._group is not None:
            self._groups = self._groups or self._open(GROUPS, np.uint64)
            self._groups.append(np.array(self._read_groups(block, where), dtype=np.uint64))

    def _open(self, name: str, dtype: npt.DTypeLike) -> ArrayFile:
        return self._files.enter_context(ArrayFile(self._folder / name, dtype))

    def _read_times(self, block: Block, where: str) -> list[float]:
        name, position = self._time or ("", 0)
        cells = block.cells(position)
        found, known = [], self._points
        for record, cell in enumerate(cells):
            point = known.get(cell)
            if point is None:
                text = trim(cell)
                if text in self._missing:
                    raise self._lacks(block, record, where, name, "time")
                point = parse_time(text, self._format, self._decimal)
                if point is None:
                    at = _place(block, record, where, name)
                    raise DataError(f"{at}: {quote(text)} {self._not_a_time(cells)}")
                if self.kind is None:
                    self.kind = point.kind
                if point.kind != self.kind:
                    raise DataError(
                        f"{_place(block, record, where, name)}: {quote(text)} is "
                        f"{_IN_WORDS[point.kind]}, and the times before it are each "
                        f"{_IN_WORDS[self.kind]}, so that they cannot be compared. Write all times "
                        "in one form."
                    )
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[cell] = point
            found.append(point.value)
        return found

    def _read_groups(self, block: Block, where: str) -> list[int]:
        name, position = self._group or ("", 0)
        found, known = [], self._digests
        for record, cell in enumerate(block.cells(position)):
            digest = known.get(cell)
            if digest is None:
                text = trim(cell)
                if text in self._missing:
                    raise self._lacks(block, record, where, name, "group")
                digest = text_digest(text)
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[cell] = digest
            found.append(digest)
        return found

    def _lacks(self, block: Block, record: int, where: str, name: str, key: str) -> DataError:
        return DataError(
            f"{_place(block, record, where, name)}: no {key}, so it is unknown on which side of "
            f"the split the row belongs. Fill the cell in, or remove the row; or take split.{key} "
            "out of pipeline.toml."
        )

    def _not_a_time(self, cells: Sequence[str]) -> str:
        """Return what is wrong with a cell, and formats that fit the ``cells`` of its block."""
        if self._format is not None:
            return (
                f"does not fit split.time_format = {quote(self._format)}. Correct the cell, or the "
                "format."
            )
        tried = sorted({trim(cell) for cell in cells[:_CELLS_TRIED]} - set(self._missing))
        fitting = [f"time_format = {quote(form)}" for form in fitting_forms(tried)]
        said = (
            "is no point in time: neither an ISO 8601 date, such as 2024-12-31 or "
            "2024-12-31T23:59:00Z, nor a number."
        )
        if fitting:
            return f"{said} If it is what the cells mean, set in [split]: {' or '.join(fitting)}."
        return f"{said} Correct the cell, or set time_format in [split]."


def _place(block: Block, record: int, where: str, name: str) -> str:
    return (
        f"{where} row {int(block.rows[record])} (line {int(block.lines[record])}), "
        f"column {quote(name)}"
    )
