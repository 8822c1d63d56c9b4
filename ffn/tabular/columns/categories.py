"""Vectorised lookup of category codes from the bytes of a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import MISSING, UNKNOWN, trim
from ffn.tabular.csv.parsing.blocks import Block, endings_of

__all__ = ["CategoryReader"]

# In words of eight bytes. Longer texts, and cells not found by their bytes, are looked up singly.
_LONGEST_WORDS = 4
_KNOWN_TEXTS = 100_000
_FEW = 16
# Odd, from the golden ratio; one per word after the first.
_MIX = np.uint64(0x9E3779B97F4A7C15)
_EVERY_BIT = np.uint64(2**64 - 1)

Codes = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class CategoryReader:
    """Reader of one categorical column, with the results of `category_codes`.

    Parameters
    ----------
    categories
        Texts, by code.
    missing_values
        Texts that mean "no value".

    Attributes
    ----------
    looked_up
        Number of cells so far that were looked up one by one.
    """

    def __init__(self, categories: Sequence[str], missing_values: Collection[str]) -> None:
        self._code = {category: code for code, category in enumerate(categories)}
        self._code |= dict.fromkeys(missing_values, MISSING)
        self._by_cell: dict[str, int] = {}
        self.looked_up = 0
        # A NUL, which no record contains, would look like the padding of a shorter cell. Texts
        # with surrounding spaces never match, as cells are trimmed.
        plain = [text for text in self._code if "\0" not in text and trim(text) == text]
        known = {text.encode(): self._code[text] for text in plain}
        texts = [text for text in known if len(text) <= 8 * _LONGEST_WORDS]
        self._longest = max(map(len, texts), default=0)
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        words = self._words(endings_of(b"".join(texts)), np.cumsum(lengths), lengths)
        order = np.argsort(_key(words))
        self._known = [word[order] for word in words]
        self._keys = _key(self._known)
        self._codes = np.array([known[text] for text in texts], dtype=np.int64)[order]

    def read(self, block: Block, column: int) -> Codes:
        """Return codes, int64 [n]: that of a category, ``MISSING`` or ``UNKNOWN``.

        Parameters
        ----------
        block
            The records [n].
        column
            Position of the column in a record.
        """
        if not len(self._keys):
            self.looked_up += len(block)
            return np.array(list(map(self._look_up, block.cells(column))), dtype=np.int64)
        starts, ends = block.bounds(column)
        lengths = ends - starts
        words = self._words(block.endings, ends, lengths)
        place = np.minimum(self._place(_key(words)), len(self._keys) - 1)
        found = lengths <= self._longest
        for word, known in zip(words, self._known, strict=True):
            found &= word == known.take(place)
        codes: Codes = self._codes.take(place)
        if not found.all():
            others = np.flatnonzero(~found).tolist()
            self.looked_up += len(others)
            codes[others] = [self._look_up(block.cell(column, i).decode()) for i in others]
        return codes

    def _place(self, keys: Words) -> npt.NDArray[Any]:
        """Return the number of known keys below each key [n]."""
        if len(self._keys) > _FEW:
            return np.searchsorted(self._keys, keys)
        # For few keys, a binary search takes four times as long.
        place = np.zeros(len(keys), dtype=np.uint8)
        for known in self._keys:
            place += known < keys
        return place

    def _words(self, endings: Words, ends: Codes, lengths: Codes) -> list[Words]:
        """Return each cell's bytes as words [n], the last bytes first, padded with zeros."""
        words = []
        for behind in range(0, max(self._longest, 1), 8):
            own = np.minimum(lengths - behind, 8)
            word = endings[np.maximum(ends - behind, 0) if behind else ends]
            # In NumPy a shift by 64 or more gives 0; negative lengths give such shifts.
            word &= _EVERY_BIT << (np.uint64(64) - (own << 3).view(np.uint64))
            words.append(word)
        return words

    def _look_up(self, cell: str) -> int:
        code = self._by_cell.get(cell)
        if code is None:
            code = self._code.get(trim(cell), UNKNOWN)
            if len(self._by_cell) < _KNOWN_TEXTS:
                self._by_cell[cell] = code
        return code


def _key(words: Sequence[Words]) -> Words:
    key = words[0]
    for word in words[1:]:
        key = key * _MIX ^ word
    return key
