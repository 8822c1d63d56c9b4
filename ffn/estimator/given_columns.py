"""The columns of a table given to `FFNClassifier`, found by name, or by position in an array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ffn.errors import FFNError, did_you_mean, quote
from ffn.estimator.plain_numbers import dense
from ffn.tabular.memory.array_table import ArrayTable, names_of_positions
from ffn.tabular.memory.memory_table import (
    MemoryTable,
    RenamedTable,
    column_names,
    has_names,
    open_table,
)
from ffn.tabular.memory.object_cells import NoPlainValuesError

__all__ = ["given_columns", "in_scikit_learns_terms"]


@contextmanager
def in_scikit_learns_terms() -> Iterator[None]:
    """Raise errors of tables as the built-in ones that scikit-learn's users expect."""
    try:
        yield
    except NoPlainValuesError as error:
        told = str(error).removesuffix(".")
        raise TypeError(f"{told}: an argument must be a string or a number.") from None
    except FFNError as error:
        raise ValueError(str(error)) from None


def given_columns(estimator: BaseEstimator, x: Any, *, reset: bool) -> MemoryTable:
    """Return features as a table whose columns have the names of ``fit``.

    Parameters
    ----------
    estimator
        The estimator, whose ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    x
        A table with named columns, found by name in any order; or an array [n, columns] or sparse
        matrix, or a DataFrame whose columns have numbers for names, in the order of ``fit``.
    reset
        Whether these are the features of ``fit``.

    Raises
    ------
    ValueError
        There are no rows or columns, a column is missing or new, or two have one name.
    TypeError
        Only some of the names are texts.
    """
    # A Series speaks Arrow's protocol, too, and is refused like any array of one dimension.
    tabular = has_names(x) and len(getattr(x, "shape", (0, 0))) == 2
    names = column_names(x) if tabular else None
    texts = [isinstance(name, str) for name in names or ()]
    if any(texts) and not all(texts):
        found = sorted({type(name).__name__ for name in names or ()})
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your "
            f"input has {found} as column name types. Rename the columns."
        )
    known = getattr(estimator, "feature_names_in_", None)
    if names and all(texts) and (reset or known is not None):
        if reset:
            _check_names(names)
            estimator.feature_names_in_ = np.array(names, dtype=object)
            estimator.n_features_in_ = len(names)
        else:
            _compare_names(names, known.tolist() if known is not None else [])
        return _with_rows(open_table(x, names))
    if names is None:
        x = validate_data(
            estimator,
            x,
            dtype=None,
            ensure_all_finite="allow-nan",
            accept_sparse="csr",
            reset=reset,
        )
        table: MemoryTable = ArrayTable(dense(x))
    else:
        # Compares the numbers of features, and warns where only one of the two has names.
        validate_data(estimator, x, skip_check_array=True, reset=reset)
        table = RenamedTable(_with_rows(open_table(x, names)), names_of_positions(len(names)))
    return table if known is None or reset else RenamedTable(table, known.tolist())


def _with_rows(table: MemoryTable) -> MemoryTable:
    if not len(table):
        raise ValueError(
            f"Found array with 0 sample(s) (shape=(0, {len(table.names)})) while a minimum of 1 "
            "is required."
        )
    return table


def _check_names(names: Sequence[str]) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(f"X has the column {quote(name)} twice; rename one")


def _compare_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse columns that are not those of ``fit``, in whatever order."""
    _check_names(names)
    missing = [name for name in known if name not in set(names)]
    added = [name for name in names if name not in set(known)]
    told = []
    if missing:
        told.append(f"has no column {quote(missing[0])}{_more(missing)}")
    if added:
        told.append(f"has a column {quote(added[0])}{_more(added)} that fit did not see")
    if told:
        hint = did_you_mean(missing[0], added) if missing else ""
        raise ValueError(
            "The feature names should match those that were passed during fit: X "
            f"{', and '.join(told)}.{hint}"
        )


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1:,} more" if len(names) > 1 else ""
