"""Learn the encoding of columns of texts from the texts of the training part."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.text_encoding.ngram_counts import BUCKETS, count_ngrams
from ffn.tabular.text_encoding.normalised_text import MOST_CHARACTERS, normalise_text
from ffn.tabular.text_encoding.text_encoding import TextColumn, TextEncoding, weigh_counts

__all__ = ["MOST_LEARNT", "MOST_TEXTS", "learn_texts"]

Array = npt.NDArray[Any]

MOST_TEXTS = 20_000
"""Different texts of a column from which its encoding is learnt; of more, a sample."""
MOST_LEARNT = 4_000_000
"""Characters of those texts, which bound the memory and time of learning."""
# Of a bucket with a single text, nothing can be learnt for others.
_FEWEST_TEXTS = 2
# Oversampling and power iterations of Halko, Martinsson and Tropp 2011, sections 4.2 and 4.5.
_OVERSAMPLED, _ITERATIONS = 10, 4
_SEED = 0
# Components are between -1 and 1. The decomposition of fewer texts than components gives some that
# are rounding errors.
_LEAST_SPREAD = 1e-6


def learn_texts(
    columns: Sequence[Collection[str]], has_missing: Sequence[bool], width: int
) -> TextEncoding | None:
    """Return the encoding of columns of texts; None if there are none.

    Each different text counts once, however many rows have it, and the order of texts has no
    effect. The decomposition is that of scikit-learn's ``randomized_svd`` with a fixed seed, in
    one thread, so that equal texts give equal bytes on a machine.

    Parameters
    ----------
    columns
        Different texts of each column [T] in the training part, without missing ones.
    has_missing
        Whether the training part had missing cells in each column [T].
    width
        Number of components of each column.
    """
    if not columns:
        return None
    learnt = [_learn_column(texts, width) for texts in columns]
    buckets, rarity, directions, centres, scales = zip(*learnt, strict=True)
    return TextEncoding(
        text_buckets=np.concatenate(buckets),
        text_bucket_counts=np.array(list(map(len, buckets)), dtype=np.int64),
        text_rarity=np.concatenate(rarity),
        text_directions=np.concatenate(directions),
        text_centres=np.array(centres),
        text_scales=np.array(scales),
        text_has_missing=np.array(has_missing, dtype=bool),
    )


def _learn_column(texts: Collection[str], width: int) -> tuple[Array, Array, Array, Array, Array]:
    from scipy import sparse

    chosen = sorted(_sample(texts))
    pieces = [counts for _, counts in count_ngrams(chosen)]
    counts = sparse.vstack(pieces or [sparse.csr_array((0, BUCKETS))], format="csr")
    frequency = np.bincount(counts.indices, minlength=BUCKETS)
    buckets = np.flatnonzero(frequency >= max(1, min(_FEWEST_TEXTS, len(chosen)))).astype(np.int64)
    rarity = np.log((1 + len(chosen)) / (1 + frequency[buckets])) + 1
    directions = np.zeros((len(buckets), width), dtype=np.float32)
    centre, scale = np.zeros(width), np.ones(width)
    if len(buckets):
        weights = weigh_counts(counts[:, buckets], rarity)
        found = _directions(weights, min(width, min(weights.shape)))
        directions[:, : found.shape[1]] = found
        column = TextColumn(buckets, rarity, directions, centre, scale)
        components = column.encode(chosen)
        centre, deviation = components.mean(axis=0), components.std(axis=0)
        scale = np.where(deviation > _LEAST_SPREAD, deviation, 1.0)
    return buckets, rarity, directions, centre, scale


def _directions(weights: Any, width: int) -> Array:
    """Return the first right singular vectors of ``weights`` [n, m], as columns [m, width]."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        *_, found = randomized_svd(
            weights,
            width,
            n_oversamples=_OVERSAMPLED,
            n_iter=_ITERATIONS,
            random_state=_SEED,
        )
    return np.asarray(found).T


def _sample(texts: Collection[str]) -> Iterator[str]:
    """Yield different normalised texts: all, or those whose digests come first.

    So the sample depends on the texts alone, and not on their order.
    """
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > MOST_LEARNT:
        texts = sorted(texts, key=_digest)
    yielded = set[str]()
    left = MOST_LEARNT
    for cell in texts:
        text = normalise_text(cell)
        if text in yielded or not text:
            continue
        left -= len(text)
        if len(yielded) == MOST_TEXTS or left < 0:
            return
        yielded.add(text)
        yield text


def _digest(text: str) -> bytes:
    start = text[:MOST_CHARACTERS]
    return blake2b(start.encode("utf-8", "surrogatepass"), digest_size=8).digest()
