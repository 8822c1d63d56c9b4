"""Truth values as a column writes them: ``yes`` and ``no``, ``TRUE`` and ``FALSE``."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["TRUTH", "TruthForm", "truth_words"]

TRUTH = "true/false"
"""What declares the form, whichever words the column has."""

_WRITTEN = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
_NUMBERS = {**{true: 1.0 for true, _ in _WRITTEN}, **{false: 0.0 for _, false in _WRITTEN}}
# pandas writes a column of integers with gaps as floats.
_NUMBERS |= {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "1,0": 1.0, "0,0": 0.0}


@dataclass(frozen=True)
class TruthForm:
    """Any spelling of true and false, in upper or lower case, and 1 and 0.

    A column has one meaning, so the pairs of words need not be told apart: ``yes`` is true in a
    column of ``true`` and ``false``, too.
    """

    @property
    def text(self) -> str:
        """What declares this form."""
        return TRUTH

    def number(self, text: str) -> float:
        """Return 1 for a trimmed cell that means true, 0 for false; NaN if it means neither."""
        return _NUMBERS.get(text.lower(), math.nan) if text.isascii() else math.nan

    def written(self, number: float) -> str:
        """Return a text that is read as ``number``, 0 or 1."""
        return "True" if number else "False"


def truth_words(texts: set[str]) -> bool:
    """Return whether texts are the two words of one pair, in upper or lower case.

    Parameters
    ----------
    texts
        The different trimmed cells of a column with a value.
    """
    return {text.lower() for text in texts} in [set(pair) for pair in _WRITTEN]
