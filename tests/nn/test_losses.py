"""Softmax and cross-entropy against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import special

from ffn.nn import cross_entropy, softmax
from ffn.nn.losses import losses_and_hits, one_hot

LOGITS = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=4, max_side=6),
    elements=st.floats(-1e4, 1e4, allow_subnormal=False),
)


@given(LOGITS)
def test_softmax_is_scipys(logits: np.ndarray) -> None:
    np.testing.assert_allclose(
        softmax(logits), special.softmax(logits, axis=-2), rtol=1e-12, atol=1e-300
    )


@given(LOGITS, st.data())
def test_cross_entropy_is_scipys(logits: np.ndarray, data: st.DataObject) -> None:
    rows = (*logits.shape[:-2], logits.shape[-1])
    labels = data.draw(arrays(np.int64, rows, elements=st.integers(0, logits.shape[-2] - 1)))
    expected = -np.take_along_axis(
        special.log_softmax(logits, axis=-2), labels[..., None, :], axis=-2
    ).squeeze(-2)
    np.testing.assert_allclose(cross_entropy(logits, labels), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_neither_overflow_nor_lose_the_loss(dtype: type) -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [0, 1e4]], dtype)
    p = softmax(logits)
    assert p.dtype == dtype
    np.testing.assert_array_equal(p[:, 0], [1, 0, 0])
    np.testing.assert_array_equal(p[:, 1], [0, 0.5, 0.5])
    loss = cross_entropy(logits, np.array([1, 0]))
    assert loss.dtype == dtype
    np.testing.assert_allclose(loss, [2e4, 2e4 + np.log(2)], rtol=1e-6)


def test_softmax_writes_where_it_is_told_to() -> None:
    logits = np.array([[0.0, 1.0], [0.0, 3.0]])
    out = np.empty_like(logits)
    assert softmax(logits, out=out) is out
    np.testing.assert_allclose(out[:, 0], [0.5, 0.5])
    np.testing.assert_array_equal(logits, [[0, 1], [0, 3]])


def test_labels_may_be_shared_by_all_networks() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 2, 3, 4))
    labels = np.array([[2, 0, 1, 1]])
    np.testing.assert_array_equal(
        cross_entropy(logits, labels), cross_entropy(logits, np.broadcast_to(labels, (5, 2, 4)))
    )


def test_of_equal_scores_the_first_counts_whatever_the_other_networks_do() -> None:
    # One network scores all classes alike; the scores of two others are not numbers. There are
    # as many highest scores as rows, as if each row had just one.
    logits = np.full((3, 3, 4), np.nan)
    logits[0] = 0
    labels = np.array([0, 1, 2, 0])
    with np.errstate(invalid="ignore"):
        _, hits = losses_and_hits(logits, one_hot(labels, 3, np.float64))
    np.testing.assert_array_equal(hits[0], [True, False, False, True])
