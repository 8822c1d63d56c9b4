"""The rows of a table by time: what was known at some point in the past, and what came next."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.backtesting.frequencies import Frequency
from ffn.errors import DataError, SettingsError
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import atomic_file
from ffn.storage.source import open_source
from ffn.tabular.csv.reader import Records
from ffn.tabular.splitting.points_in_time import TimeKind, time_text
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["KnownRows", "read_known_rows"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class KnownRows:
    """The labelled rows [N] of a training table, as records of its file.

    A row is known from its own time on, and its label an embargo later, so a table of the past
    holds the rows before a time less the embargo. It is made of whole records, so nothing of a
    later row can have an effect on it: neither a label nor the kind of a column.

    Attributes
    ----------
    header, line_end
        The first record, and the line end, in UTF-8.
    records
        The records in the order of the file, in UTF-8 without line ends.
    times
        Their times [N], and their kind.
    kind
        Kind of the times.
    labels, classes
        Class indices [N], and the names of the classes.
    groups
        Identifiers of the rows' groups, uint64 [N]; None if there are none.
    embargo
        How long after a row its label is known, in the unit of the times.
    window
        How far back a table of the past reaches; None for the whole history.
    source_sha256
        Digest of the file.
    unlabelled
        Rows of the file without a label, which are not among the N.
    """

    header: bytes
    line_end: bytes
    records: list[bytes]
    times: Array
    kind: TimeKind
    labels: Array
    classes: tuple[str, ...]
    groups: Array | None
    embargo: float
    window: Frequency | None
    source_sha256: str
    unlabelled: int

    def before(self, time: float) -> Array:
        """Return booleans [N] of the rows whose labels are known at ``time``, in the window."""
        end = time - self.embargo
        known: Array = self.times < end
        if self.window is not None:
            try:
                known &= self.times >= self.window.shifted(end, -1)
            except OverflowError:
                # The window begins before all dates.
                return known
        return known

    def write(self, rows: Array, path: Path) -> None:
        """Write the records of ``rows``, booleans [N], as a CSV file in UTF-8, whole or not."""
        with atomic_file(path) as file:
            file.writelines(self._lines(np.flatnonzero(rows)))

    def open(self, rows: Array) -> io.BytesIO:
        """Return the records of ``rows``, row numbers, as a CSV file in memory."""
        return io.BytesIO(b"".join(self._lines(rows)))

    def text(self, time: float) -> str:
        """Return a point in time for people."""
        return time_text(self.kind, time)

    def _lines(self, rows: Array) -> Iterator[bytes]:
        yield self.header + self.line_end
        for row in rows.tolist():
            yield self.records[row] + self.line_end


def read_known_rows(
    pipeline: Pipeline, dataset: Dataset, window: Frequency | None = None
) -> KnownRows:
    """Read the records of a training table.

    Parameters
    ----------
    pipeline
        Names the CSV, and how it is read.
    dataset
        The same table, typed, with the times of its rows.
    window
        As in `KnownRows`; by default the whole history.

    Raises
    ------
    DataError
        The file cannot be read, or changed since it was typed.
    SettingsError
        The table was typed without times.
    """
    data, times, kind = pipeline.settings.data, dataset.times, dataset.time_kind
    if times is None or kind is None:
        raise SettingsError(f"{dataset.file} was read without times. Name their column.")
    records: list[bytes] = []
    with open_source(dataset.path) as source:
        opened = Records(
            source, dataset.file, delimiter=data.delimiter, given_encoding=data.encoding
        )
        for block in opened:
            records += block.records()
        source.check_unchanged()
        sha256 = source.sha256
    labelled = dataset.labelled_rows()
    if sha256 != dataset.source_sha256 or len(records) != len(labelled):
        raise DataError(f"{dataset.file} changed while it was read. Start again.")
    return KnownRows(
        header=opened.header.text,
        line_end=opened.header.line_end or b"\n",
        records=[records[row] for row in np.flatnonzero(labelled).tolist()],
        times=np.array(times),
        kind=kind,
        labels=np.array(dataset.labels),
        classes=dataset.classes,
        groups=None if dataset.group_ids is None else np.array(dataset.group_ids),
        embargo=pipeline.settings.split.gap(),
        window=window,
        source_sha256=sha256,
        unlabelled=dataset.unlabelled,
    )
