"""Files of a training table that can be written only when all of its rows have been read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.storage.npy import ArrayFile, save_array
from ffn.tabular.training_table.column_store import Columns
from ffn.tabular.training_table.dataset import CODES, FINGERPRINTS, LABELS, NUMBERS
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.key_columns import TEST_UNLABELLED, UNLABELLED

__all__ = ["number_labels", "write_fingerprints", "write_left_out"]

Array = npt.NDArray[Any]


def number_labels(
    folder: Path, texts: Sequence[str], class_of: Mapping[str, str], group_rows: int
) -> list[str]:
    """Replace the codes of label texts by numbers of classes, and return the classes, sorted.

    Parameters
    ----------
    folder
        Folder of the table.
    texts
        Texts of the label column by code.
    class_of
        Class by text; a text that is no label is in no row.
    group_rows
        Rows that are replaced at once.
    """
    classes = sorted(set(class_of.values()))
    number = {name: place for place, name in enumerate(classes)}
    place = np.array(
        [number[class_of[text]] if text in class_of else -1 for text in texts], np.int32
    )
    labels = np.load(folder / LABELS, mmap_mode="r+")
    for start in range(0, len(labels), group_rows):
        part = labels[start : start + group_rows]
        part[:] = place[part]
    return classes


def write_left_out(folder: Path, own: Sequence[Array], held_out: Sequence[Array]) -> None:
    """Write which rows were left out; nothing where there are none.

    Parameters
    ----------
    folder
        Folder of the table.
    own, held_out
        Row numbers in the table, and in the file of held-out rows, in arrays.
    """
    for file, rows in ((UNLABELLED, own), (TEST_UNLABELLED, held_out)):
        if rows:
            save_array(folder / file, np.sort(np.concatenate(rows)))


def write_fingerprints(
    folder: Path,
    features: Sequence[str],
    numeric: Sequence[str],
    texts: Mapping[str, list[str]],
    missing_values: tuple[str, ...],
    *,
    rows: int,
    group_rows: int,
) -> None:
    """Write the fingerprint of each row.

    Parameters
    ----------
    folder
        Folder of the table.
    features
        All features, in the order of the table.
    numeric
        Those that are numeric.
    texts
        Texts by code of each of the others.
    missing_values
        As in `DataSettings`.
    rows
        Number of rows.
    group_rows
        Rows of a group of the files.
    """
    numbers, codes = (
        Columns(folder / file, n, rows, group_rows).groups()
        for file, n in ((NUMBERS, len(numeric)), (CODES, len(texts)))
    )
    with ArrayFile(folder / FINGERPRINTS, np.uint64) as file:
        for (_, values), (_, own) in zip(numbers, codes, strict=True):
            file.append(
                group_fingerprints(values, own, numeric, texts, missing_values, names=features)
            )
