"""Content fingerprints of rows, by which equal rows are recognised across tables."""

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
    """Return fingerprints of rows, uint64 [n], independent of column order and number notation.

    Parameters
    ----------
    numeric
        Numbers by column name, float64 [n], NaN for missing.
    categorical
        Trimmed texts [n] by column name.
    missing_values
        Texts that mean "no value"; all count as equal.
    n
        Number of rows.

    Notes
    -----
    The first 64 bits of BLAKE2b: in a million different rows, any two share a fingerprint with a
    probability of 3e-8.
    """
    # Adding 0.0 turns -0.0 into 0.0; every NaN is replaced by the same bit pattern.
    stack = np.array([numeric[name] + 0.0 for name in sorted(numeric)]).reshape(-1, n).T
    rows = np.ascontiguousarray(np.where(np.isnan(stack), np.nan, stack))
    contents = rows.view(f"V{rows.strides[0]}")[:, 0].tolist() if numeric else [b""] * n
    if categorical:
        # No cell contains a NUL. All missing values are "", which no category becomes.
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
    """Return the fingerprints of a row group, uint64 [n], from the columns ``names``.

    Parameters
    ----------
    numbers, codes
        Numbers, float64 [F, n], and indices in the ``texts`` of a column, integers [G, n].
    numeric, texts
        Names of the numeric columns [F], and texts by name of the others [G], in this order.
    missing_values
        Texts that mean "no value".
    names
        Columns to include.
    """
    cells = {
        name: np.array(own, dtype=object)[column]
        for (name, own), column in zip(texts.items(), codes, strict=True)
        if name in names
    }
    chosen = {n: column for n, column in zip(numeric, numbers, strict=True) if n in names}
    return content_fingerprints(chosen, cells, missing_values, numbers.shape[1])


def recognise(fingerprints: Array, known: Array) -> Array:
    """Return a mask [n] of the ``fingerprints`` [n] that are among ``known`` [m]."""
    known = np.sort(known)
    found = np.zeros(len(fingerprints), dtype=bool)
    if len(known):
        for start in range(0, len(found), _LOOKED_UP_AT_ONCE):
            part = fingerprints[start : start + _LOOKED_UP_AT_ONCE]
            places = np.searchsorted(known, part).clip(max=len(known) - 1)
            found[start : start + len(part)] = known[places] == part
    return found
