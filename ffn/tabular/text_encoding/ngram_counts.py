"""Count the n-grams of characters within the words of texts, by buckets of a hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BUCKETS", "SIZES", "count_ngrams"]

Array = npt.NDArray[Any]

SIZES = (3, 4)
"""Lengths of the n-grams, in characters, with a space on either side of each word."""
_BITS = 15
BUCKETS = 2**_BITS
"""Number of buckets of the hash."""
_SPACE = ord(" ")
# Odd constants of 64 bits: the multiplier of Knuth's MMIX generator, and the golden ratio.
_STEP = np.uint64(6364136223846793005)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF, _SHIFT = np.uint64(32), np.uint64(64 - _BITS)
# Code points of texts that are counted at once, 8 MB for each array.
_AT_ONCE = 2**20


def count_ngrams(texts: Sequence[str]) -> Iterator[tuple[slice, Any]]:
    """Yield ranges of texts, with the number of n-grams of each text in each bucket.

    The n-grams are those of scikit-learn's ``analyzer="char_wb"``: of a word with a space before
    and behind it, all stretches of `SIZES` characters. Those of different words are not joined.

    Parameters
    ----------
    texts
        Results of `normalise_text` [n].

    Yields
    ------
    range
        Which of the texts, together all of them in their order.
    counts
        SciPy sparse array in CSR format, float64 [texts of the range, BUCKETS], with sorted
        indices.
    """
    start = size = 0
    for number, text in enumerate(texts):
        if size and size + len(text) > _AT_ONCE:
            yield slice(start, number), _counts(texts[start:number])
            start, size = number, 0
        size += len(text) + 2
    if start < len(texts):
        yield slice(start, len(texts)), _counts(texts[start:])


def _counts(texts: Sequence[str]) -> Any:
    # Imported here, as tables without texts do not need this large library.
    from scipy import sparse

    padded = "".join([f" {text} " for text in texts])
    signs = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    ends = np.cumsum([len(text) + 2 for text in texts])
    spaces = np.cumsum(signs == _SPACE)
    hashes, rows, columns = signs, [], []
    for size in range(2, max(SIZES) + 1):
        if len(hashes) < 2:
            break
        # Polynomials in _STEP, modulo 2 to the 64.
        hashes = hashes[:-1] * _STEP + signs[size - 1 :]
        if size not in SIZES:
            continue
        # Two texts meet in two spaces, so no n-gram without a space inside joins them.
        inside = spaces[size - 2 : len(signs) - 1] - spaces[: len(hashes)]
        own = np.flatnonzero(inside == 0)
        first = np.searchsorted(own, ends)
        rows.append(np.repeat(np.arange(len(texts)), np.diff(first, prepend=0)))
        mixed = hashes[own] + np.uint64(size)
        mixed ^= mixed >> _HALF
        columns.append((mixed * _MIX >> _SHIFT).astype(np.int64))
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    column = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
    shape = (len(texts), BUCKETS)
    found = sparse.coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
    found.sort_indices()
    return found
