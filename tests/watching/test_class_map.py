"""The plane against scikit-learn's principal components, the map against lines drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from ffn.nn import Network
from ffn.watching.class_map import class_map, principal_plane
from ffn.watching.observation import Sample


def sample(n: int = 200, width: int = 5) -> Sample:
    random = np.random.default_rng(2)
    x = random.standard_normal((n, width)) @ random.standard_normal((width, width)) + 3
    return Sample(x, random.integers(0, 3, n))


def test_the_plane_is_that_of_the_principal_components() -> None:
    rows = sample()
    plane, theirs = principal_plane(rows), PCA(2).fit(rows.x)
    assert plane.share == pytest.approx(theirs.explained_variance_ratio_.sum(), rel=1e-12)
    np.testing.assert_allclose(
        np.abs(plane.positions(rows.x)), np.abs(theirs.transform(rows.x)), rtol=1e-9, atol=1e-9
    )


def test_two_inputs_are_a_plane_of_their_own_and_one_is_a_line() -> None:
    assert principal_plane(sample(width=2)).share == pytest.approx(1.0, abs=1e-15)
    rows = sample(width=1)
    plane = principal_plane(rows)
    assert plane.share == 1.0
    np.testing.assert_array_equal(plane.up, [0.0])
    np.testing.assert_allclose(plane.positions(rows.x)[:, 0], rows.x[:, 0] - rows.x.mean())


def test_rows_without_differences_are_drawn_as_well() -> None:
    rows = Sample(np.ones((4, 3)), np.array([0, 1, 1, 1]))
    network = Network((3, 2), np.zeros((1, 8)))
    found = class_map(network, principal_plane(rows), rows, width=5, height=3)
    assert found.rows.tolist() == [[-1] * 5, [-1, -1, 1, -1, -1], [-1] * 5]


def test_a_straight_boundary_is_where_it_was_put() -> None:
    # Rows on a cross around the middle, longer along the first input, which therefore is across.
    x = np.array([[-4.0, 0], [4, 0], [0, -2], [0, 2]])
    rows = Sample(x, np.array([0, 1, 0, 1]))
    # Class 1 where x0 > 1: scores 0 and 100 (x0 - 1).
    network = Network((2, 2), np.array([[0.0, 0, 0, 100, 0, -100]]))
    found = class_map(network, principal_plane(rows), rows, width=44, height=4)
    # 44 columns over [-4.4, 4.4], a fifth each: 1.0 lies between columns 26 and 27.
    for answers in found.answers:
        assert np.flatnonzero(np.diff(answers)).tolist() == [26]
    assert found.confidence.min() > 0.99
    line, column = np.nonzero(found.rows >= 0)
    assert sorted(zip(line.tolist(), column.tolist(), strict=True)) == [
        (0, 22),
        (2, 2),
        (2, 42),
        (3, 22),
    ]
    assert (found.rows[0, 22], found.rows[2, 2]) == (1, 0)


def test_probabilities_of_several_networks_are_averaged() -> None:
    rows = Sample(np.array([[-1.0], [1.0]]), np.array([0, 1]))
    # Certain of class 0, certain of class 1, and 0.75 sure of class 1.
    scores = [[50.0, 0.0], [0.0, 50.0], [0.0, np.log(3)]]
    network = Network((1, 2), np.array([[0.0, a, 0.0, b] for a, b in scores]))
    found = class_map(network, principal_plane(rows), rows, width=3, height=1)
    np.testing.assert_array_equal(found.answers, [[1, 1, 1]])
    np.testing.assert_allclose(found.confidence, 1.75 / 3, rtol=1e-12)


def test_scores_that_are_not_finite_are_no_answer() -> None:
    rows = sample()
    network = Network((5, 3), np.full((1, 18), np.nan))
    found = class_map(network, principal_plane(rows), rows, width=4, height=3)
    assert (found.answers == -1).all()
