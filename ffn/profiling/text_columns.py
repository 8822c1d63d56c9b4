"""Tell columns of short texts from identifiers and from categories."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from statistics import median_low

from ffn.profiling.column_profile import Column
from ffn.quantities import counted
from ffn.tabular.columns.inference import names_rows

__all__ = ["why_texts"]

# Up to so many different texts, each is a category.
_FEW = 20
_FEWEST_WORDS = 3
_FEWEST_LETTERS = 2
# Texts that are looked at.
_LOOKED_AT = 10_000


def why_texts(column: Column) -> str:
    """Return why a column holds texts, of which parts tell something; empty if it does not.

    Texts never or rarely repeat, like identifiers. But at least half of them have three words or
    more between their spaces (a word has two letters or more), and at least half of these words
    occur in more than one text: so what is learnt from some texts applies to others. Codes, e-mail
    addresses, links and names of persons have fewer words.

    Parameters
    ----------
    column
        The column, of which only the first 10,000 different texts are looked at.
    """
    if column.kind != "categorical" or column.distinct <= _FEW:
        return ""
    once = column.distinct == len(column.texts)
    if not once and not names_rows(column.distinct, len(column.cells)):
        return ""
    texts = [_words(text) for text in islice(dict.fromkeys(column.texts), _LOOKED_AT)]
    typical = median_low(map(len, texts))
    if typical < _FEWEST_WORDS:
        return ""
    occurrences = Counter(word for words in texts for word in words)
    in_texts = Counter(word for words in texts for word in set(words))
    shared = sum(count for word, count in occurrences.items() if in_texts[word] > 1)
    if 2 * shared < occurrences.total():
        return ""
    return f"{counted(column.distinct, 'different text')}, mostly of {typical} words or more"


def _words(text: str) -> list[str]:
    return [
        word for word in text.casefold().split() if sum(map(str.isalpha, word)) >= _FEWEST_LETTERS
    ]
