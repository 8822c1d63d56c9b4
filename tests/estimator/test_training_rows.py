"""Rows as a set, against dictionaries; and the held-out part, by counting."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from ffn.estimator.training_rows import distinct_rows, hashes_of_rows, hold_out

DTYPES = st.sampled_from([np.float32, np.float64])


@st.composite
def labelled_rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, n_in = draw(st.integers(1, 25)), draw(st.integers(1, 3))
    dtype = draw(DTYPES)
    values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 3e38, 1e-45])
    x = draw(arrays(np.float64, (n, n_in), elements=values)).astype(dtype)
    labels = draw(arrays(np.intp, n, elements=st.integers(0, 2)))
    weights = draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0, 2.0, 0.25])))
    return x, labels, weights


def content(x: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> list[tuple[object, ...]]:
    # Python's dictionaries hold -0.0 and 0.0 for the same key.
    return [(*x[row].tolist(), int(labels[row])) for row in rows]


@given(labelled_rows())
def test_rows_are_merged_as_a_dictionary_would(
    table: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, labels, weights = table
    expected: dict[object, float] = defaultdict(float)
    for row in np.flatnonzero(weights):
        expected[content(x, labels, [row])[0]] += weights[row]
    if not expected:
        return
    rows, merged = distinct_rows(x, labels, weights)
    found = dict(zip(content(x, labels, rows), merged, strict=True))
    assert len(found) == len(rows)
    assert found == expected


@given(labelled_rows(), st.randoms(use_true_random=False))
def test_neither_place_nor_repetition_matters(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], random: object
) -> None:
    x, labels, weights = table
    weights = np.round(weights * 4)
    if not weights.any():
        return
    rows, merged = distinct_rows(x, labels, weights)
    repeated = np.repeat(np.arange(len(x)), weights.astype(int))
    random.shuffle(repeated)
    again, merged_again = distinct_rows(x[repeated], labels[repeated], np.ones(len(repeated)))
    assert content(x[repeated], labels[repeated], again) == content(x, labels, rows)
    assert_array_equal(merged_again, merged)


def test_sums_of_weights_do_not_depend_on_the_order_of_rows() -> None:
    generator = np.random.default_rng(0)
    weights = generator.uniform(0, 1, size=1000) ** 8
    x, labels = np.ones((1000, 2)), np.zeros(1000, dtype=int)
    exact = float(sum(map(Fraction, weights)))
    sums = set()
    for _ in range(20):
        shuffled = generator.permutation(weights)
        sums.add(float(distinct_rows(x, labels, shuffled)[1][0]))
    assert len(sums) == 1
    assert sums.pop() == pytest.approx(exact, rel=1e-12)


def test_rows_that_differ_by_one_bit_or_in_the_label_are_different() -> None:
    x = np.array([[1.0, 2.0], [np.nextafter(1.0, 2), 2.0], [2.0, 1.0], [1.0, 2.0]])
    rows, merged = distinct_rows(x, np.array([0, 0, 0, 1]), np.ones(4))
    assert sorted(rows) == [0, 1, 2, 3]
    assert_array_equal(merged, 1)


def test_different_rows_with_one_fingerprint_are_told_apart() -> None:
    x = np.array([[1.0], [2.0], [1.0], [3.0]])
    labels, weights = np.array([0, 0, 0, 1]), np.ones(4)
    seeds = []

    def clumsy(x: Any, labels: Any, rows: Any, seed: int, step: int) -> np.ndarray:
        seeds.append(seed)
        fingerprints: np.ndarray = hashes_of_rows(x, labels, rows, seed, step)
        return fingerprints % 1 if seed < 2 else fingerprints

    rows, merged = distinct_rows(x, labels, weights, fingerprints_of=clumsy)
    assert seeds == [0, 1, 2]
    assert dict(zip(rows.tolist(), merged, strict=True)) in ({0: 2, 1: 1, 3: 1}, {2: 2, 1: 1, 3: 1})


def test_same_features_under_one_fingerprint_but_other_labels_are_told_apart() -> None:
    def blind(x: Any, labels: Any, rows: Any, seed: int, step: int) -> np.ndarray:
        return hashes_of_rows(x, labels if seed else labels * 0, rows, seed, step)

    x, labels = np.ones((3, 2)), np.array([0, 1, 0])
    rows, _ = distinct_rows(x, labels, np.ones(3), fingerprints_of=blind)
    assert len(rows) == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fingerprints_of_many_similar_rows_differ(dtype: type) -> None:
    values = np.stack(np.meshgrid(*[np.arange(32)] * 3), axis=-1).reshape(-1, 3).astype(dtype)
    fingerprints = hashes_of_rows(
        values, np.zeros(len(values), dtype=int), np.arange(len(values)), 0, 1_000
    )
    assert len(np.unique(fingerprints)) == len(values)


def test_blocks_do_not_show() -> None:
    x = np.random.default_rng(0).integers(0, 3, size=(200, 3)).astype(np.float32)
    labels, weights = np.arange(200) % 2, np.ones(200)
    whole = distinct_rows(x, labels, weights)
    blocks = distinct_rows(x, labels, weights, values_at_once=7)
    for one, other in zip(blocks, whole, strict=True):
        assert_array_equal(one, other)


@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_held_out_rows_are_a_part_in_proportion(sizes: list[int], share: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    if max(sizes) < 2:
        return
    rows = np.random.default_rng(1).permutation(len(labels))
    kept, held = hold_out(rows, labels, share, np.random.default_rng(seed))
    assert sorted([*kept, *held]) == sorted(rows)
    assert len(held) >= 1
    for c, size in enumerate(sizes):
        n_held = (labels[held] == c).sum()
        assert n_held <= max(size - 1, 0)
        assert n_held <= np.ceil(size * share)
        assert n_held >= min(np.floor(size * share), size - 1)


def test_the_share_is_exact_where_classes_are_large() -> None:
    labels = np.repeat([0, 1, 2], [51, 33, 16])
    _, held = hold_out(np.arange(100), labels, 0.1, np.random.default_rng(0))
    # 5.1, 3.3 and 1.6 make 10 in all: the largest remainder is the third's.
    assert np.bincount(labels[held]).tolist() == [5, 3, 2]


def test_the_generator_decides_which_rows_are_held_out() -> None:
    labels = np.zeros(100, dtype=int)
    held = [
        set(hold_out(np.arange(100), labels, 0.2, np.random.default_rng(seed))[1].tolist())
        for seed in (0, 0, 1)
    ]
    assert held[0] == held[1]
    assert held[0] != held[2]


def test_nothing_to_hold_out_is_said() -> None:
    with pytest.raises(ValueError, match=r"no class has more than one sample \(equal rows"):
        hold_out(np.arange(3), np.array([0, 1, 2]), 0.1, np.random.default_rng(0))
