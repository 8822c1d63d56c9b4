"""The columns of a training CSV that are not features: ids, dates, notes.

A model never sees them, but they say which rows belong together and which came first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError
from ffn.settings.data_settings import DataSettings
from ffn.storage.source import open_source
from ffn.tabular.columns.parsers import CategoryColumn
from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion.text_table import refusal
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["SideColumn", "read_held_out_columns", "read_side_columns"]

Array = npt.NDArray[Any]

# A column of more different texts is not read on: it would take hundreds of bytes a row.
_MOST_TEXTS = 2**20
_MOST_COLUMNS = 50


@dataclass(frozen=True, kw_only=True)
class SideColumn:
    """A column that is not a feature.

    Attributes
    ----------
    name
        Header of the column.
    codes
        Position in ``texts`` of each labelled row, int32 [N].
    texts
        Trimmed texts, in order of first appearance.
    """

    name: str
    codes: Array
    texts: tuple[str, ...]


def read_side_columns(path: Path, dataset: Dataset, data: DataSettings) -> list[SideColumn]:
    """Read the columns that are neither features nor the target, if there are any.

    Parameters
    ----------
    path
        The training CSV.
    dataset
        What was read of it; rows without a label are left out here, too.
    data
        How it is read.

    Raises
    ------
    DataError
        The file is unreadable, or changed since it was read.
    """
    known = {*dataset.order, data.target}
    return _of_file(path, data, dataset.source_sha256, dataset.labelled_rows(), known)


def read_held_out_columns(dataset: Dataset, data: DataSettings) -> list[SideColumn]:
    """Read the same columns of the user's own file of held-out rows; none without such a file.

    Parameters
    ----------
    dataset
        What was read of both files. The codes of a column are those of its held-out rows alone.
    data
        How they are read.

    Raises
    ------
    DataError
        The file is unreadable, or changed since it was read.
    """
    if dataset.test_path is None or dataset.test_sha256 is None:
        return []
    known = {*dataset.order, data.target}
    labelled = dataset.labelled_rows(held_out=True)
    return _of_file(dataset.test_path, data, dataset.test_sha256, labelled, known)


def _of_file(
    path: Path, data: DataSettings, sha256: str, labelled: Array, known: set[str]
) -> list[SideColumn]:
    """Return the columns of a file that are not among the ``known`` ones, of its labelled rows."""
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=data.delimiter, given_encoding=data.encoding)
        names = records.header.names
        wanted = [name for name in names if name and name not in known]
        readers: dict[str, tuple[CategoryColumn, list[Array]]] = {
            name: (CategoryColumn(names.index(name), data.decimal), [])
            for name in wanted[:_MOST_COLUMNS]
        }
        if not readers:
            return []
        _read(records, readers, lambda reject: refusal(path, reject, records))
        source.check_unchanged()
        if source.sha256 != sha256:
            raise DataError(
                f"{path} changed while it was read. Try again when nothing is writing to it."
            )
    return [
        SideColumn(name=name, codes=np.concatenate(codes)[labelled], texts=tuple(column.texts))
        for name, (column, codes) in readers.items()
    ]


def _read(
    records: Records,
    readers: dict[str, tuple[CategoryColumn, list[Array]]],
    refuse: Callable[[Reject], Exception],
) -> None:
    for block in records:
        if block.rejects:
            raise refuse(block.rejects[0])
        for name, (column, codes) in list(readers.items()):
            codes.append(column.read(block))
            if len(column.texts) > _MOST_TEXTS:
                del readers[name]
