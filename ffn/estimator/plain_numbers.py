"""What `FFNClassifier` is given, as a dense array of numbers, or the column that holds none.

A DataFrame with texts, dates or categories fails in NumPy, in the words of NumPy, and without the
name of the column; dates of NumPy would even pass, as nanoseconds. So columns are looked at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt
from scipy import sparse

from ffn.errors import quote
from ffn.machine_memory import memory_limit
from ffn.quantities import size
from ffn.tabular.memory.array_table import is_missing

__all__ = ["dense", "dense_parts", "refuse_other_kinds"]

Array = npt.NDArray[Any]

_OBJECTS = "other objects"
# What texts, dates and durations are called by the types of pandas, polars and Arrow, in lower
# case. Truth values are numbers to NumPy.
_KINDS = {
    "dates or times": ("date", "time", "period", "duration"),
    "categories": ("categor", "enum", "dictionary"),
    "texts": ("str", "utf8"),
    "intervals": ("interval",),
    "lists or records": ("list", "struct", "array[", "array("),
    _OBJECTS: ("object",),
}
_MAYBE_NUMBERS = {"texts", "categories", _OBJECTS}
_ADVICE = {
    "dates or times": "make numbers of them first, such as the hour or the days since some date",
    "categories": "encode them first, for instance by OneHotEncoder in "
    "sklearn.compose.make_column_transformer",
    "texts": "encode them first, for instance by OneHotEncoder in "
    "sklearn.compose.make_column_transformer",
}
# What FFNClassifier(kinds="auto") makes of such a column.
_READ = {
    "dates or times": "dates as numbers and cycles",
    "texts": 'categories, or with kinds={{{name}: "text"}} their words',
    "categories": "each category",
}
_OTHER_ADVICE = "leave the column out, or make numbers of it first"
_VALUES_AT_ONCE = 2**22


def refuse_other_kinds(table: Any) -> None:
    """Refuse the first column of a DataFrame that holds no numbers; other tables are passed over.

    Parameters
    ----------
    table
        Features: anything that scikit-learn takes.

    Raises
    ------
    ValueError
        A column holds texts, dates or categories; it says which, and what to do.
    """
    for name, kind, column in _columns_in_doubt(table):
        # Texts and categories that are all numbers are read as such by scikit-learn.
        by_value = kind in _MAYBE_NUMBERS
        example = _no_number(column) if by_value else _example(column)
        if by_value and example is None:
            continue
        kind = kind if kind != _OBJECTS else _kind_of(example)
        told = "" if example is None else f", such as {quote(example, 30)}"
        advice = _ADVICE.get(kind, _OTHER_ADVICE)
        if kind in _READ:
            read = _READ[kind].format(name=quote(name))
            advice = f'give kinds="auto", which reads {read} as a pipeline does, or {advice}'
        raise ValueError(
            f"column {quote(name)} holds {kind}{told}, and FFNClassifier takes numbers; {advice}."
        )


def _columns_in_doubt(table: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield name, kind and values of each column of a DataFrame whose type is not of numbers."""
    if not (hasattr(table, "columns") and hasattr(table, "dtypes")):
        return
    types = list(table.dtypes)
    for i, name in enumerate(table.columns):
        if kind := _kind_of_type(str(types[i]).lower()):
            # By position, because two columns of pandas may have one name.
            yield name, kind, table.iloc[:, i] if hasattr(table, "iloc") else table[name]


def _kind_of_type(dtype: str) -> str:
    """Return what a type holds by its name in lower case; empty for numbers."""
    # Its own name comes first: those of what it contains follow, as in "list(date)". Of two that
    # begin at one place, the longer one is meant: "struct", not "str".
    found = [
        (dtype.index(part), -len(part), kind)
        for kind, parts in _KINDS.items()
        for part in parts
        if part in dtype
    ]
    return min(found)[2] if found else ""


def _example(column: Any) -> Any:
    """Return the first value that is there; None if there is none."""
    return next((one for one in column if not is_missing(one)), None)


def _no_number(column: Any) -> Any:
    """Return the first value that scikit-learn does not read as a number; None if all are."""
    for one in column:
        if is_missing(one):
            continue
        try:
            float(one)
        except (TypeError, ValueError):
            return one
    return None


def _kind_of(value: Any) -> str:
    if isinstance(value, str | bytes):
        return "texts"
    if hasattr(value, "isoformat"):
        return "dates or times"
    return _OBJECTS


def dense(x: Any) -> Array:
    """Return features as an array [N, n_in]; a sparse matrix becomes dense.

    Parameters
    ----------
    x
        Validated features.

    Raises
    ------
    ValueError
        A dense array would not fit into the memory of this machine or container.
    """
    if not _is_sparse(x):
        found: Array = x
        return found
    needed, there = x.shape[0] * x.shape[1] * x.dtype.itemsize, memory_limit()
    if needed > there:
        raise ValueError(
            f"X is sparse with {x.shape[0]:,} rows of {x.shape[1]:,} features, which would take "
            f"{size(needed)} as a dense array, of {size(there)} of memory. Reduce it first, for "
            "instance with sklearn.decomposition.TruncatedSVD, or learn in parts with partial_fit"
        )
    whole: Array = x.toarray()
    return whole


def dense_parts(x: Any, values_at_once: int = _VALUES_AT_ONCE) -> Iterator[Array]:
    """Yield validated features [n, n_in] whole, or of a sparse matrix some rows at a time.

    Parameters
    ----------
    x
        Validated features; a sparse matrix is CSR.
    values_at_once
        Number of values of a part; by default 4 million, which are 32 MB of float64.
    """
    if not _is_sparse(x):
        yield x
        return
    step = max(1, values_at_once // max(1, x.shape[1]))
    for start in range(0, x.shape[0], step):
        yield x[start : start + step].toarray()


def _is_sparse(x: Any) -> bool:
    return bool(sparse.issparse(x))
