"""Class statistics by hand and against scikit-learn's TargetEncoder, and what is pooled."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import TargetEncoder

from ffn.tabular.encodings.pooled_categories import (
    SMOOTHING,
    PooledCategories,
    class_statistics,
    frequent,
)


def counts_of(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    counts = np.zeros((codes.max() + 1, labels.max() + 1), dtype=int)
    np.add.at(counts, (codes, labels), 1)
    return counts


def test_statistics_by_hand() -> None:
    # Of 6 rows 2 are of class 1; of the category's 4 rows 1 is: (1 + 20/3) / 24 = 23/72.
    found = class_statistics(np.array([[3, 1], [1, 1], [0, 0]]), np.array([2 / 3, 1 / 3]))
    assert found.shape == (3, 1)
    assert found[0, 0] == pytest.approx(np.log(23 / 49) - np.log(1 / 2), rel=1e-12)
    # (1 + 20/3) / 22 = 23/66.
    assert found[1, 0] == pytest.approx(np.log(23 / 43) - np.log(1 / 2), rel=1e-12)
    assert found[2, 0] == 0


@pytest.mark.parametrize("n_classes", [2, 5])
def test_shrunken_shares_are_scikit_learns(n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    codes = rng.zipf(1.5, 2000).clip(max=300) - 1
    labels = (rng.random(2000) ** 2 * n_classes).astype(int)
    _, codes = np.unique(codes, return_inverse=True)
    shares = np.bincount(labels) / 2000
    found = class_statistics(counts_of(codes, labels), shares)
    encoder = TargetEncoder(smooth=SMOOTHING, target_type="binary" if n_classes == 2 else "auto")
    expected = encoder.fit(codes[:, None], labels).transform(codes[:, None])
    of_all = shares[1:] if n_classes == 2 else shares
    odds = np.exp(found[codes]) * of_all / (1 - of_all)
    np.testing.assert_allclose(odds / (1 + odds), expected, rtol=1e-12)


def test_classes_that_say_nothing_have_finite_statistics() -> None:
    one_class = class_statistics(np.array([[5, 0, 0]]), np.array([1.0, 0, 0]))
    np.testing.assert_array_equal(one_class, [[0, 0, 0]])
    pure = class_statistics(np.array([[0, 10**9]]), np.array([0.5, 0.5]))
    assert np.isfinite(pure).all()
    assert pure[0, 0] > 10


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [0, 0, 1, 0]), (2, [0, 1, 1, 0]), (3, [1, 1, 1, 0]), (4, [1] * 4), (9, [1] * 4)],
)
def test_the_most_frequent_have_their_own_input(most: int, expected: list[int]) -> None:
    np.testing.assert_array_equal(frequent(np.array([3, 5, 9, 3]), most), expected)


def test_columns_take_their_part_of_the_arrays() -> None:
    pooled = PooledCategories(
        own_inputs=np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool),
        statistics=np.arange(10.0).reshape(5, 2),
    )
    plain, first, second = pooled.columns([2, 2, 3])
    assert plain is None
    assert (first.other, first.width, first.positions.tolist()) == (1, 4, [1, 0])
    assert (second.other, second.width, second.positions.tolist()) == (1, 4, [1, 1, 0])
    np.testing.assert_array_equal(second.statistics, [[4, 5], [6, 7], [8, 9]])
    assert pooled.columns([7])[0].statistics.shape == (5, 2)
    assert (
        PooledCategories(own_inputs=np.zeros(0, bool), statistics=np.zeros((0, 1))).columns([])
        == []
    )
