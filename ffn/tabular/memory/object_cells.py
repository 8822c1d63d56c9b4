"""Cells that may be arbitrary objects, as Arrow arrays of one type each."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote

__all__ = ["ColumnPart", "NoPlainValuesError", "has_extension", "parts_of_objects"]

_NO_PLAIN_VALUES = (bytearray, list, tuple, dict, set, frozenset, np.ndarray, np.timedelta64)


class NoPlainValuesError(DataError):
    """A column holds lists or other cells that are no plain values."""


class ColumnPart(NamedTuple):
    """Cells of one column that have the same type.

    Attributes
    ----------
    rows
        Positions of the cells in the column, or a slice for all of them.
    cells
        ``pyarrow`` array, chunked or not.
    """

    rows: npt.NDArray[np.intp] | slice
    cells: Any


def parts_of_objects(
    cells: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], name: str
) -> Iterator[ColumnPart]:
    """Yield cells by type, because 1, True and "1" in one column are different values.

    Raises `NoPlainValuesError` for lists and other cells that are no plain values.
    """
    present = np.flatnonzero(~missing)
    values = cells[present].tolist()
    for kind, places in _by_type(values).items():
        if issubclass(kind, _NO_PLAIN_VALUES):
            raise NoPlainValuesError(
                f"the rows, column {quote(name)}: cells of the type {kind.__name__} are not plain "
                "values. Give a column of numbers or texts."
            )
        # Times with and without a time zone have one type, but cannot be compared.
        may_be = hasattr(kind, "tzinfo")
        zoned = [place for place in places if may_be and values[place].tzinfo is not None]
        plain = sorted(set(places).difference(zoned)) if zoned else places
        for own in filter(len, (zoned, plain)):
            some = values if len(own) == len(values) else [values[place] for place in own]
            yield ColumnPart(present[own], _array_of(some, kind))


def _by_type(values: Sequence[Any]) -> dict[type, Sequence[int]]:
    """Return the positions of the values of each type."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        return {kinds.pop(): range(len(values))}
    found: dict[type, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(type(value), []).append(place)
    return dict(found)


def _array_of(values: list[Any], kind: type) -> Any:
    """Return objects of one type as an Arrow array; as texts if Arrow lacks the type."""
    import pandas as pd
    import pyarrow as pa

    if issubclass(kind, np.datetime64 | pd.Timestamp):
        # Arrow would assume microseconds.
        values = [pd.Timestamp(value) for value in values]
        zone = None if values[0].tzinfo is None else "UTC"
        with contextlib.suppress(pa.ArrowException, ValueError, OverflowError):
            return pa.array(values, pa.timestamp("ns", zone))
    if issubclass(kind, datetime.time) and values[0].tzinfo is not None:
        # Arrow would drop the zone.
        values = list(map(str, values))
    try:
        array = pa.array(values)
    except OverflowError:
        array = pa.array([Decimal(value) for value in values])
    except (pa.ArrowException, TypeError, ValueError):
        array = None
    if array is None or has_extension(array.type):
        # The texts of a CSV file of the same frame; a lone surrogate is refused as such bytes are.
        array = pa.array([str(value).encode("utf-8", "surrogatepass") for value in values])
    return array


def has_extension(of: Any) -> bool:
    """Return whether an Arrow type is an extension, whose values Arrow cannot write as texts."""
    import pyarrow as pa

    of = of.value_type if pa.types.is_dictionary(of) else of
    return isinstance(of, pa.BaseExtensionType)
