"""A number for each row's content, by which rows are recognised in any table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["content_fingerprints", "group_fingerprints", "recognise"]

Array = npt.NDArray[Any]

_LOOKED_UP_AT_ONCE = 2**20


def content_fingerprints(
    numeric: Mapping[str, Array],
    categorical: Mapping[str, Sequence[str]],
    missing_values: Collection[str],
    n: int,
) -> Array:
    """Return uint64 [n] of the features' values, whatever the columns' order and spelling.

    Parameters
    ----------
    numeric
        float64 [n] by column name, NaN where a cell is missing.
    categorical
        Trimmed texts [n] by column name; those in ``missing_values`` are equal to each other.
    n
        Rows.

    Notes
    -----
    The first 64 bits of BLAKE2b: among a million rows two different ones share a
    fingerprint with a probability of 3e-8.
    """
    # Adding 0.0 turns -0.0 into 0.0; NaN has many bit patterns, the constant one.
    stack = np.array([numeric[name] + 0.0 for name in sorted(numeric)]).reshape(-1, n).T
    rows = np.ascontiguousarray(np.where(np.isnan(stack), np.nan, stack))
    contents = rows.view(f"V{rows.strides[0]}")[:, 0].tolist() if numeric else [b""] * n
    if categorical:
        # No cell holds a NUL. One mark for all spellings of "missing", which no category is.
        texts = [
            ["" if cell in missing_values else f"={cell}" for cell in categorical[name]]
            for name in sorted(categorical)
        ]
        contents = [
            numbers + "\0".join(row).encode()
            for numbers, row in zip(contents, zip(*texts, strict=True), strict=True)
        ]
    digests = b"".join([blake2b(content, digest_size=8).digest() for content in contents])
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64, copy=False)


def group_fingerprints(
    numbers: Array,
    codes: Array,
    numeric: Sequence[str],
    texts: Mapping[str, Sequence[str]],
    missing_values: Collection[str],
    *,
    names: Collection[str],
) -> Array:
    """Return the fingerprints of some rows [n], by what they hold in the columns ``names``.

    Parameters
    ----------
    numbers, codes
        float64 [F, n], and integers [G, n]: places among a column's ``texts``.
    numeric, texts
        Names of the columns F, and texts by name of the columns G, in this order.
    """
    cells = {
        name: np.array(own, dtype=object)[column]
        for (name, own), column in zip(texts.items(), codes, strict=True)
        if name in names
    }
    chosen = {n: column for n, column in zip(numeric, numbers, strict=True) if n in names}
    return content_fingerprints(chosen, cells, missing_values, numbers.shape[1])


def recognise(fingerprints: Array, known: Array) -> Array:
    """Return booleans [n]: which of ``fingerprints`` are among ``known``, uint64 [n] and [m]."""
    known = np.sort(known)
    found = np.zeros(len(fingerprints), dtype=bool)
    if len(known):
        for start in range(0, len(found), _LOOKED_UP_AT_ONCE):
            part = fingerprints[start : start + _LOOKED_UP_AT_ONCE]
            places = np.searchsorted(known, part).clip(max=len(known) - 1)
            found[start : start + len(part)] = known[places] == part
    return found
