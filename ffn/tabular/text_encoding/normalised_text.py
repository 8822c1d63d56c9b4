"""The form in which texts are compared: Unicode NFKC, case folded, single spaces."""

from __future__ import annotations

import unicodedata

__all__ = ["MOST_CHARACTERS", "normalise_text"]

MOST_CHARACTERS = 10_000
"""Characters of a cell that are read; what follows has no effect.

It bounds the memory for a single cell, of which a file may have one of megabytes.
"""


def normalise_text(cell: str) -> str:
    """Return the form of a text in which it is compared with others.

    The text is normalised by NFKC, case folded, and normalised again, since folding may take
    characters apart (Unicode Standard, sections 3.11 and 5.18). So letters with combining marks
    equal the composed ones, full-width and compatibility forms equal the plain ones, and upper
    case equals lower case. Every run of white space, as Unicode defines it, becomes one space, and
    there is none at either end. Everything else, such as accents, digits, punctuation, direction
    marks and lone surrogates, stays.

    Parameters
    ----------
    cell
        Any text; only the first `MOST_CHARACTERS` characters are read.
    """
    text = cell[:MOST_CHARACTERS]
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = unicodedata.normalize("NFKC", folded)
    return " ".join(folded.split())
