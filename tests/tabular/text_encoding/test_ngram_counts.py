"""The n-grams are scikit-learn's, and their buckets those of a hash written out by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from ffn.tabular.text_encoding.ngram_counts import BUCKETS, SIZES, count_ngrams
from ffn.tabular.text_encoding.normalised_text import normalise_text

ANALYSE = CountVectorizer(
    analyzer="char_wb", ngram_range=(min(SIZES), max(SIZES)), lowercase=False
).build_analyzer()
HOSTILE = st.text(st.characters(exclude_categories=()), max_size=30) | st.text(" ab", max_size=12)


def bucket(ngram: str) -> int:
    """The hash in Python's integers: a polynomial of code points, folded, then multiplied."""
    value = 0
    for sign in ngram:
        value = (value * 6364136223846793005 + ord(sign)) % 2**64
    value = (value + len(ngram)) % 2**64
    value ^= value // 2**32
    return value * 0x9E3779B97F4A7C15 % 2**64 * BUCKETS // 2**64


def counted(texts: list[str]) -> list[dict[int, float]]:
    found: list[dict[int, float]] = []
    for rows, counts in count_ngrams(texts):
        assert rows == slice(len(found), len(found) + counts.shape[0])
        assert counts.has_sorted_indices
        for start, end in zip(counts.indptr, counts.indptr[1:], strict=False):
            pairs = zip(counts.indices[start:end], counts.data[start:end], strict=True)
            found.append(dict(pairs))
    return found


@given(st.lists(HOSTILE, max_size=5))
def test_the_ngrams_are_those_of_scikit_learn(cells: list[str]) -> None:
    texts = list(map(normalise_text, cells))
    # That library keeps lone surrogates, but splits at no more than its regular expression does.
    expected = [Counter(map(bucket, ANALYSE(text))) for text in texts]
    assert counted(texts) == expected


def test_long_lists_are_counted_in_parts_with_the_same_result() -> None:
    texts = [f"number {n} " + "long text " * 30 for n in range(8_000)]
    texts = list(map(normalise_text, texts))
    parts = [rows for rows, _ in count_ngrams(texts)]
    assert len(parts) > 1
    assert counted(texts)[::500] == [counted([text])[0] for text in texts[::500]]


def test_ngrams_are_spread_evenly_over_the_buckets() -> None:
    words = [f"{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in range(1000)]
    ngrams = {ngram for word in words for ngram in ANALYSE(word)}
    sizes = np.bincount([bucket(ngram) for ngram in ngrams], minlength=BUCKETS)
    # As many are alone as when balls fall into urns at random: n (1 - 1/m)^(n - 1).
    n = len(ngrams)
    alone = n * (1 - 1 / BUCKETS) ** (n - 1)
    assert abs(np.count_nonzero(sizes == 1) - alone) < 5 * np.sqrt(alone)
