"""Refusal of tables whose classes are too small to be split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.quantities import more
from ffn.tabular.cells import DECIMALS, is_number
from ffn.tabular.training_table.label_reading import toml_remedy

__all__ = ["check_class_sizes"]

Array = npt.NDArray[Any]

# Of each class, one distinct row for the held-out part, one for validation, one for training.
_LEAST_DISTINCT_ROWS = 3
# With more classes of fewer than three rows, all of them numbers, the column is a quantity.
_MOST_NUMBERS = 10


def check_class_sizes(
    labels: Array, fingerprints: Array, classes: Sequence[str], where: str
) -> None:
    """Refuse a table with a single class, or with a class too small to be split.

    Parameters
    ----------
    labels
        Class indices [N].
    fingerprints
        Content fingerprints, uint64 [N].
    classes
        Names of the classes [C].
    where
        Name of the file in errors.

    Raises
    ------
    DataError
        There is only one class, or a class has fewer than three distinct rows.
    """
    if len(classes) < 2:
        raise DataError(
            f"{where}: every row has the label {quote(classes[0])}; at least two classes are "
            "needed. Add rows of another class, or name another target."
        )
    order = np.lexsort((fingerprints, labels))
    own, content = labels[order], fingerprints[order]
    first = np.r_[True, (own[1:] != own[:-1]) | (content[1:] != content[:-1])]
    distinct = np.bincount(own[first], minlength=len(classes))
    rare = {name: n for name, n in zip(classes, distinct, strict=True) if n < _LEAST_DISTINCT_ROWS}
    few = [f"{quote(name)} has {n}" for name, n in rare.items()]
    if few:
        others = f" and {more(len(few) - 5, 'class', 'classes')}" if len(few) > 5 else ""
        remedy = (
            "Add rows of it, or leave its rows out: "
            f"{toml_remedy([(name, '') for name in list(rare)[:5]])}."
        )
        if len(few) > max(_MOST_NUMBERS, len(classes) // 2):
            remedy = (
                "The labels look like a number to predict, and this is a classifier: name a column "
                "of classes, or replace the numbers by ranges."
                if _are_numbers(classes)
                else "The labels look like ids, names or dates: name a column of classes."
            )
        raise DataError(
            f"{where}: too few distinct rows to split: class {', '.join(few[:5])}{others}; each "
            f"class needs {_LEAST_DISTINCT_ROWS}. {remedy}"
        )


def _are_numbers(classes: Sequence[str]) -> bool:
    return any(all(is_number(label, decimal) for label in classes) for decimal in DECIMALS)
