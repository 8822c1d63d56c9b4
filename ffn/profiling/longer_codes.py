"""Tell codes from numbers where some are longer: ZIP codes, 12345, among them 12345-6789."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ffn.errors import quote

__all__ = ["why_codes"]

_LONGER = re.compile(r"([0-9]{4,})-([0-9]+)")
_LEAST_SHARE_OF_FULL_LENGTH = 0.5


def why_codes(texts: Sequence[str], words: Sequence[str]) -> str:
    """Return why a column holds codes, although most of them look like numbers; empty if not.

    All its texts that are no numbers are then written alike: as many digits as the others have,
    four at least, a hyphen, and fewer digits. So it holds neither ranges, such as 1000-2000 among
    numbers, nor numbers with a slip of the pen. Up to half of the others may have lost zeros at
    their beginning, as in a spreadsheet.

    Parameters
    ----------
    texts
        All texts of the column.
    words
        Those that are not numbers.
    """
    found = {word: _LONGER.fullmatch(word) for word in words}
    shapes = {(0, 0) if one is None else (len(one[1]), len(one[2])) for one in found.values()}
    if len(shapes) != 1:
        return ""
    ((first, more),) = shapes
    lengths = Counter(
        len(text) if text.isascii() and text.isdigit() else 0 for text in texts if text not in found
    )
    full = lengths[first]
    if not first > more > 0 or lengths[0] or (lengths and max(lengths) > first):
        return ""
    if not full or full < _LEAST_SHARE_OF_FULL_LENGTH * lengths.total():
        return ""
    # The same ones in whatever order the rows are.
    shorter = min(text for text in texts if len(text) == first)
    return f"codes such as {quote(shorter)} and {quote(min(found))}"
