"""Category codes out of bytes, a column at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import MISSING, UNKNOWN, trim
from ffn.tabular.csv.parsing.blocks import Block, endings_of

__all__ = ["CategoryReader"]

# Longer texts, and whatever else is not found by its bytes, are looked up one by one.
_LONGEST_WORDS = 4
_KNOWN_TEXTS = 100_000
_FEW = 16
# Odd, from the golden ratio; one per word after the first.
_MIX = np.uint64(0x9E3779B97F4A7C15)
_EVERY_BIT = np.uint64(2**64 - 1)

Codes = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class CategoryReader:
    """Reads the cells of one column as `category_codes` does.

    Parameters
    ----------
    categories
        Texts, by code.
    missing_values
        Texts that mean "no value".

    Attributes
    ----------
    looked_up
        Cells so far that were not found by their bytes.
    """

    def __init__(self, categories: Sequence[str], missing_values: Collection[str]) -> None:
        self._code = {category: code for code, category in enumerate(categories)}
        self._code |= dict.fromkeys(missing_values, MISSING)
        self._by_cell: dict[str, int] = {}
        self.looked_up = 0
        # NULs stand in no record, and cannot be told here from what is behind a cell; a text
        # with spaces around it is no cell's, but of the cell without them.
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
        """Return the codes of a column [n]: the category, ``MISSING`` or ``UNKNOWN``."""
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
        """Return how many known keys are below each [n]."""
        if len(self._keys) > _FEW:
            return np.searchsorted(self._keys, keys)
        # A search that jumps by each cell's bytes takes four times as long.
        place = np.zeros(len(keys), dtype=np.uint8)
        for known in self._keys:
            place += known < keys
        return place

    def _words(self, endings: Words, ends: Codes, lengths: Codes) -> list[Words]:
        """Return the bytes of each cell as words [n], its end first, zeros where it has none."""
        words = []
        for behind in range(0, max(self._longest, 1), 8):
            own = np.minimum(lengths - behind, 8)
            word = endings[np.maximum(ends - behind, 0) if behind else ends]
            # A shift by 64 and more is 0 in NumPy; of what is negative, 64 and more comes.
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
