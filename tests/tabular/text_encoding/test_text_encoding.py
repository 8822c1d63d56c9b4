"""The encoding is tf-idf and a singular value decomposition, whatever the cells hold."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from threadpoolctl import threadpool_limits

from ffn.tabular.text_encoding import text_fit
from ffn.tabular.text_encoding.ngram_counts import count_ngrams
from ffn.tabular.text_encoding.normalised_text import MOST_CHARACTERS
from ffn.tabular.text_encoding.text_encoding import TextEncoding, weigh_counts
from ffn.tabular.text_encoding.text_fit import learn_texts

WORDS = ["steel", "bolt", "copper", "wire", "rubber", "seal", "blue", "paint", "cable", "valve"]
HOSTILE = [
    "",
    " \t",
    "\u00a0",
    "\0",
    "a\0b",
    "e\u0301" * 300,
    "\u05e9\u05dc\u05d5\u05dd \u200fworld",
    "\udcff\ud800",
    "x" * 100_000,
    "word " * 20_000,
    "\ufdfa" * 20_000,  # one letter that becomes 18
    "\U0001f600\U0001f468\u200d\U0001f469",
    '"quoted, text"\r\n',
]


def some_texts(n: int = 300, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 6))) for _ in range(n)]


def learnt(*columns: list[str], width: int = 8) -> TextEncoding:
    encoding = learn_texts(list(map(set, columns)), [False] * len(columns), width)
    assert encoding is not None
    assert encoding.problem(len(columns)) is None
    return encoding


def test_weights_are_those_of_scikit_learn() -> None:
    texts = sorted(set(some_texts()))
    ((_, counts),) = count_ngrams(texts)
    theirs = TfidfTransformer(sublinear_tf=True).fit(counts)
    ours = weigh_counts(counts, theirs.idf_)
    np.testing.assert_allclose(ours.toarray(), theirs.transform(counts).toarray(), atol=1e-12)


def test_components_are_those_of_an_exact_decomposition() -> None:
    texts = sorted(set(some_texts(60)))
    encoding = learnt(texts, width=5)
    counts = sparse.vstack([part for _, part in count_ngrams(texts)]).toarray()
    kept = (counts > 0).sum(axis=0) >= 2
    assert encoding.text_buckets.tolist() == np.flatnonzero(kept).tolist()
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, kept]).toarray()
    left, values, _ = np.linalg.svd(weights, full_matrices=False)
    exact = left[:, :5] * values[:5]
    exact = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    ours = encoding.columns[0].encode(texts)
    # The sign of a singular vector is free.
    signs = np.sign((ours * exact).sum(axis=0))
    np.testing.assert_allclose(ours, exact * signs, atol=1e-4)


def test_the_order_and_the_repetitions_of_texts_have_no_effect() -> None:
    texts = some_texts()
    once, again = learnt(texts), learn_texts([texts[::-1] + texts], [False], 8)
    assert again is not None
    for name, values in once.__getstate__().items():
        assert getattr(again, name).tobytes() == values.tobytes(), name


def test_threads_have_no_effect() -> None:
    found = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            found.append(learnt(some_texts(2_000), width=30).text_directions.tobytes())
    assert found[0] == found[1]


def test_cells_of_any_kind_have_finite_components_of_their_own() -> None:
    column = learnt(some_texts(), width=8).columns[0]
    cells = [*HOSTILE, *some_texts(5)]
    together = column.encode(cells)
    assert np.isfinite(together).all()
    for cell, row in zip(cells, together, strict=True):
        assert column.encode([cell])[0].tobytes() == row.tobytes()
    assert column.encode([]).shape == (0, 8)


def test_cells_of_any_kind_can_be_learnt_from() -> None:
    column = learnt(HOSTILE, width=8).columns[0]
    assert np.isfinite(column.encode(HOSTILE)).all()


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=20), max_size=6))
def test_few_and_strange_texts_can_be_learnt_from(texts: list[str]) -> None:
    encoding = learnt(texts, width=4)
    found = encoding.columns[0].encode([*texts, "something else"])
    assert found.shape == (len(texts) + 1, 4)
    assert np.isfinite(found).all()


def test_a_text_of_unknown_ngrams_is_an_average_text() -> None:
    column = learnt(some_texts()).columns[0]
    assert column.encode(["zzzzzz", "", "?!"]).tolist() == [[0] * 8] * 3


def test_a_cell_is_read_up_to_a_limit() -> None:
    column = learnt(some_texts()).columns[0]
    start = ("steel bolt " * MOST_CHARACTERS)[: MOST_CHARACTERS - 1] + " "
    found = column.encode([start, start + "copper wire " * 5_000])
    assert found[0].tobytes() == found[1].tobytes()


def test_similar_texts_are_near_each_other() -> None:
    column = learnt(some_texts(2_000), width=8).columns[0]
    bolt, typo, other = column.encode(["steel bolt", "Steel  bolts", "blue paint"])
    assert np.linalg.norm(bolt - typo) < np.linalg.norm(bolt - other) / 3


def test_columns_are_independent() -> None:
    first, second = some_texts(200, 1), [text[::-1] for text in some_texts(150, 2)]
    both, alone = learnt(first, second), learnt(second)
    assert both.columns[1].encode(second).tobytes() == alone.columns[0].encode(second).tobytes()
    assert learn_texts([], [], 8) is None


def test_of_many_texts_a_sample_is_learnt_from() -> None:
    texts = [f"bolt {n}" for n in range(text_fit.MOST_TEXTS + 500)]
    forward, backward = (learn_texts([own], [False], 2) for own in (texts, texts[::-1]))
    assert forward is not None
    assert backward is not None
    assert forward.text_directions.tobytes() == backward.text_directions.tobytes()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"text_bucket_counts": [1, 1]}, "there are 2 columns of texts, not 1"),
        ({"text_bucket_counts": [3]}, "which text_bucket_counts do not add up to"),
        ({"text_bucket_counts": [-3]}, "which text_bucket_counts do not add up to"),
        ({"text_rarity": [1.0]}, "text_rarity is"),
        ({"text_centres": [[0.0]]}, "text_centres is"),
        ({"text_scales": [[0.0] * 4]}, "are not positive"),
        ({"text_has_missing": []}, "text_has_missing is"),
        ({"text_directions": np.zeros((3, 0))}, "is"),
    ],
)
def test_a_damaged_encoding_is_told(change: dict[str, object], problem: str) -> None:
    good = TextEncoding(
        text_buckets=np.array([1, 5]),
        text_bucket_counts=np.array([2]),
        text_rarity=np.array([1.0, 2.0]),
        text_directions=np.zeros((2, 4), dtype=np.float32),
        text_centres=np.zeros((1, 4)),
        text_scales=np.ones((1, 4)),
        text_has_missing=np.array([True]),
    )
    assert good.problem(1) is None
    damaged = replace(good, **{name: np.array(value) for name, value in change.items()})
    assert problem in (damaged.problem(1) or "")
    for buckets in ([5, 1], [1, 1], [-1, 5], [1, 2**15]):
        assert "increase" in (replace(good, text_buckets=np.array(buckets)).problem(1) or "")
