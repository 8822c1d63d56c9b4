"""Pseudo-rows: every feature comes, whole, from the row itself or from one near it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.stats import binomtest

from ffn.distillation.pseudo_rows import nearest_rows, pseudo_rows

GROUPS = [[0, 1, 2], [3], [4, 5], [6]]


def table(n: int, seed: int = 0) -> np.ndarray:
    """Return rows of a one-hot feature, two numbers, and one number in two inputs."""
    random = np.random.default_rng(seed)
    number = random.normal(size=n)
    return np.column_stack(
        [
            np.eye(3)[random.integers(3, size=n)],
            random.normal(scale=100, size=n),
            np.minimum(number, 0),
            np.maximum(number, 0),
            random.normal(size=n),
        ]
    ).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 40), copies=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_every_feature_is_one_that_occurred_with_all_of_its_inputs(n, copies, seed) -> None:
    x = table(n, seed)
    made = pseudo_rows(x, GROUPS, copies, np.random.default_rng(seed))
    assert made.shape == (copies * n, 7)
    assert made.dtype == np.float32
    for own in GROUPS:
        occurred = {row.tobytes() for row in x[:, own]}
        assert {row.tobytes() for row in made[:, own]} <= occurred


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 40), seed=st.integers(0, 2**32))
def test_a_pseudo_row_mixes_two_rows(n, seed) -> None:
    x = table(n, seed)
    made = pseudo_rows(x, GROUPS, 1, np.random.default_rng(seed))
    for i, row in enumerate(made):
        foreign = [own for own in GROUPS if (row[own] != x[i, own]).any()]
        # One single other row explains all that is not the row's own.
        assert any(all((row[own] == other[own]).all() for own in foreign) for other in x)


def test_a_feature_is_exchanged_every_other_time() -> None:
    x = np.random.default_rng(0).normal(size=(500, 4))
    made = pseudo_rows(x, [[0], [1], [2], [3]], 3, np.random.default_rng(1))
    exchanged = int((made != np.tile(x, (3, 1))).sum())
    assert binomtest(exchanged, made.size).pvalue > 0.001


def test_copies_of_a_row_have_different_neighbours() -> None:
    x = np.random.default_rng(0).normal(size=(60, 1))
    made = pseudo_rows(x, [[0]], 40, np.random.default_rng(1)).reshape(40, 60)
    assert min(len(np.unique(copies)) for copies in made.T) > 3


def test_the_neighbour_is_near_whatever_the_unit_of_a_feature() -> None:
    """Two far groups of rows, told apart by a feature in small units, do not mix."""
    random = np.random.default_rng(0)
    group = np.repeat([0.0, 1.0], 100)
    x = np.column_stack([group * 1e-3, random.normal(scale=1e-5, size=200)])
    x[:, 1] += group * 1e6
    made = pseudo_rows(x, [[0], [1]], 5, random)
    np.testing.assert_array_equal(made[:, 0] > 0.5e-3, made[:, 1] > 0.5e6)


@pytest.mark.parametrize("n", [10, 1500])
def test_nearest_rows_are_those_of_a_tree(n: int) -> None:
    random = np.random.default_rng(n)
    x = random.normal(size=(n, 3))
    others = random.permutation(n)[: n // 2]
    found = nearest_rows(x, others)
    distances, _ = cKDTree(x[others]).query(x, k=2)
    # A row that may be chosen itself is its own nearest, at distance 0.
    expected = np.where(distances[:, 0] == 0, distances[:, 1], distances[:, 0])
    np.testing.assert_allclose(np.linalg.norm(x - x[found], axis=1), expected, rtol=1e-9)
    assert np.isin(found, others).all()
    assert (found != np.arange(n)).all()


def test_equal_rows_and_constant_features_are_no_trouble() -> None:
    x = np.ones((6, 2), np.float32)
    np.testing.assert_array_equal(
        pseudo_rows(x, [[0], [1]], 2, np.random.default_rng(0)), np.ones((12, 2))
    )
