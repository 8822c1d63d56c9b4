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

__all__ = ["SideColumn", "read_side_columns"]

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
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=data.delimiter, given_encoding=data.encoding)
        names = records.header.names
        wanted = [name for name in names if name and name not in {*dataset.order, data.target}]
        readers: dict[str, tuple[CategoryColumn, list[Array]]] = {
            name: (CategoryColumn(names.index(name), data.decimal), [])
            for name in wanted[:_MOST_COLUMNS]
        }
        if not readers:
            return []
        _read(records, readers, lambda reject: refusal(path, reject, records))
        source.check_unchanged()
        if source.sha256 != dataset.source_sha256:
            raise DataError(
                f"{path} changed while it was read. Try again when nothing is writing to it."
            )
    labelled = dataset.labelled_rows()
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
