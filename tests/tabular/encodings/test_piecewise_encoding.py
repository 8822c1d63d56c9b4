"""The encoding by hand, against SciPy's ranks, and by identities that hold for any column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.tabular.encodings.piecewise_encoding import (
    MOST_KNOTS,
    PiecewiseEncoding,
    learn_piecewise,
    smooth_clip,
)

RNG = np.random.default_rng(11)
N = 3000
COLUMNS: dict[str, Any] = {
    "normal": RNG.normal(5, 2, N),
    "lognormal": RNG.lognormal(0, 3, N),
    "half zeros": np.where(RNG.random(N) < 0.5, 0.0, RNG.exponential(1, N)),
    "atom inside": np.where(RNG.random(N) < 0.4, 1.0, RNG.normal(1, 1, N)),
    "counts": RNG.poisson(4, N).astype(float),
    "outlier": np.append(RNG.random(N - 1), 1e12),
    "steps": np.repeat(np.arange(300.0), 10),
}


def learn(*columns: Any, bins: int = 16) -> tuple[PiecewiseEncoding, np.ndarray, np.ndarray]:
    stack = [np.asarray(column, dtype=float) for column in columns]
    mean, scale = np.array([[c.mean(), c.std() or 1.0] for c in stack]).T
    return learn_piecewise(stack, mean, scale, bins), mean, scale


def encode(
    learnt: tuple[PiecewiseEncoding, np.ndarray, np.ndarray], *values: Any, dtype: Any = np.float64
) -> np.ndarray:
    """Return inputs [n, inputs] of one column of numbers for each that was learnt."""
    encoding, mean, scale = learnt
    table = np.array(values, dtype=float)
    inputs = np.full((sum(encoding.widths()), table.shape[1]), np.nan, dtype)
    with np.errstate(over="ignore"):
        encoding.encode(table, (table - mean[:, None]) / scale[:, None], inputs)
    return inputs.T


def test_inputs_by_hand() -> None:
    learnt = learn([0, 1, 2, 3, 4], bins=2)
    # z = (v - 2) / sqrt(2), and c of 4 is sqrt(2) / sqrt(1 + 2/9).
    top = np.sqrt(18 / 11)
    of_3, of_6 = np.sqrt(0.5) / np.sqrt(1 + 0.5 / 9), np.sqrt(8) / np.sqrt(1 + 8 / 9)
    np.testing.assert_allclose(learnt[0].edges, [-top, 0, top], rtol=1e-15, atol=1e-15)
    # Standard normal quantiles of 0.1, 0.3, 0.5, 0.7, 0.9, from a table.
    low, near = -1.2815515655446004, -0.5244005127080407
    np.testing.assert_allclose(learnt[0].quantiles, [low, near, 0, -near, -low], atol=1e-14)
    np.testing.assert_allclose(
        encode(learnt, [0, 2, 3, 4, 6, -2, 0.5]),
        [
            [0, 0, -top, low],
            [1, 0, 0, 0],
            [1, of_3 / top, of_3, -near],
            [1, 1, top, -low],
            # Beyond the range the outer bins go on, and the quantile stays.
            [1, of_6 / top, of_6, -low],
            [1 - of_6 / top, 0, -of_6, low],
            [1 - (c := 1.5 / np.sqrt(2) / np.sqrt(1.125)) / top, 0, -c, (low + near) / 2],
        ],
        atol=1e-14,
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_normal_quantiles_are_of_middle_ranks(name: str) -> None:
    column = COLUMNS[name]
    learnt = learn(column)
    n = len(column)
    ranks = (stats.rankdata(column, method="average") - 0.5) / n
    expected = stats.norm.ppf(np.clip(ranks, 0.5 / n, 1 - 0.5 / n))
    found = encode(learnt, column)[:, -1]
    (knots,) = learnt[0].knot_counts
    assert knots <= MOST_KNOTS == 256
    if len(np.unique(column)) <= MOST_KNOTS:
        np.testing.assert_allclose(found, expected, atol=1e-12)
    else:
        step = (expected.max() - expected.min()) / (MOST_KNOTS - 1)
        assert knots > 100
        assert np.abs(found - expected).max() < 2 * step
    # What many rows share is a knot, or next to one.
    assert np.abs(found - expected)[column == stats.mode(column).mode].max() < 0.03


@pytest.mark.parametrize("bins", [2, 3, 16, 64])
@pytest.mark.parametrize("name", COLUMNS)
def test_bins_add_up_to_the_clip_and_fill_one_after_the_other(name: str, bins: int) -> None:
    column = COLUMNS[name]
    learnt = learn(column, bins=bins)
    values = np.concatenate([column, column.mean() + column.std() * np.linspace(-50, 50, 101)])
    clip = smooth_clip((values - learnt[1]) / learnt[2])
    inputs, edges = encode(learnt, values), learnt[0].edges
    np.testing.assert_allclose(inputs[:, -2], clip, rtol=0, atol=0)
    t = inputs[:, :-2]
    if not len(edges):
        assert t.size == 0
        return
    assert edges[0] == smooth_clip((column.min() - learnt[1]) / learnt[2])[0]
    np.testing.assert_allclose(t @ np.diff(edges) + edges[0], clip, atol=1e-9)
    # A bin that is entered has those before it full.
    assert (t[:, :-1][t[:, 1:] > 0] == 1).all()
    inside = t[(clip >= edges[0]) & (clip <= edges[-1])]
    assert inside.min() >= 0
    assert inside.max() <= 1 + 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bins", [2, 16, 300])
def test_bins_are_equation_1_to_the_bit(bins: int, dtype: Any) -> None:
    """Every bin divided and clamped by itself, as the paper has it."""
    column = COLUMNS["normal"]
    learnt = learn(column, bins=bins)
    edges = learnt[0].edges
    # Numbers whose clip is an edge, or next to one.
    z = edges / np.sqrt(1 - np.square(edges / 3))
    values = np.concatenate([z * learnt[2] + learnt[1], column, [-1e9, 1e9, np.inf, -np.inf]])
    values = np.concatenate([np.nextafter(values, -np.inf), values, np.nextafter(values, np.inf)])
    clip = smooth_clip((values - learnt[1]) / learnt[2])
    t = (clip[:, None] - edges[:-1]) / np.diff(edges)
    t[:, 1:] = np.maximum(t[:, 1:], 0)
    t[:, :-1] = np.minimum(t[:, :-1], 1)
    assert len(edges) == bins + 1
    np.testing.assert_array_equal(encode(learnt, values, dtype=dtype)[:, :-2], t.astype(dtype))


def test_edges_are_quantiles_of_the_column() -> None:
    column = COLUMNS["normal"]
    encoding, mean, scale = learn(column)
    expected = np.quantile(smooth_clip((column - mean) / scale), np.arange(17) / 16)
    np.testing.assert_array_equal(encoding.edges, expected)
    inputs = encode((encoding, mean, scale), column)
    # Each bin is entered by its share of the rows, and left by those above.
    entered = (inputs[:, :16] > 0).mean(axis=0)
    np.testing.assert_allclose(entered, 1 - np.arange(16) / 16, atol=1 / N)


@pytest.mark.parametrize(
    ("column", "width"),
    [
        ([0, 1] * 50, 1),
        ([7], 1),
        ([3, 3, 3], 1),
        # Different values by rounding errors alone.
        (1 + np.finfo(float).eps * np.arange(5), 1),
        # A quantile bin of zeros alone, so no bins; ranks differ still.
        ([0] * 997 + [1, 2, 3], 2),
        (np.repeat([0, 1, 2], 100), 2 + 2),
        (np.arange(100), 16 + 2),
    ],
)
def test_few_values_need_few_inputs(column: Any, width: int) -> None:
    encoding = learn_piecewise(
        [np.asarray(column, float)],
        np.array([np.mean(column)]),
        # Of a constant column the scale is so large that inputs are 0.
        np.array([s if (s := np.std(column)) > 1e-12 else np.finfo(float).max]),
        16,
    )
    assert encoding.widths() == [width]
    assert encoding.problem(1) is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_do_not_depend_on_the_other_rows(dtype: Any) -> None:
    columns = [COLUMNS["normal"], COLUMNS["half zeros"], [0, 1] * (N // 2), COLUMNS["lognormal"]]
    learnt = learn(*columns)
    values = np.tile(np.array(columns, dtype=float), (1, 4))
    values[0, ::7] *= 1e6
    together = encode(learnt, *values, dtype=dtype)
    order = np.random.default_rng(3).permutation(values.shape[1])
    np.testing.assert_array_equal(encode(learnt, *values[:, order], dtype=dtype), together[order])
    start = 0
    for length in (1, 2, 3, 5, 8, 17, 33, 255, 256, 257, 8191):
        part = encode(learnt, *values[:, start : start + length], dtype=dtype)
        np.testing.assert_array_equal(part, together[start : start + length])
        start += length


def test_the_order_of_rows_changes_no_byte() -> None:
    column = np.where(COLUMNS["half zeros"] == 0, -0.0, COLUMNS["half zeros"])
    column[::3] += 0.0
    first = learn_piecewise([column], np.array([0.5]), np.array([1.0]), 16)
    again = learn_piecewise([column[::-1]], np.array([0.5]), np.array([1.0]), 16)
    for name, array in vars(first).items():
        assert array.tobytes() == getattr(again, name).tobytes(), name


@given(
    st.lists(st.floats(-1e15, 1e15, allow_subnormal=False), min_size=1, max_size=40),
    st.integers(2, 20),
    st.floats(allow_nan=False),
)
def test_every_number_has_finite_float32_inputs(column, bins, value) -> None:
    learnt = learn(column, bins=bins)
    assert learnt[0].problem(1) is None
    inputs = encode(learnt, [value, np.inf, -np.inf, 1.7e308, -1.7e308], dtype=np.float32)
    assert np.isfinite(inputs).all()


def test_the_clip_is_nearly_the_identity_and_ends_at_three() -> None:
    z = np.array([0.0, 1e-3, -1e-3, 3, 1e9, 1e200, -1e200, np.inf, -np.inf])
    expected = [0, 1e-3, -1e-3, 3 / np.sqrt(2), 3, 3, -3, 3, -3]
    np.testing.assert_allclose(smooth_clip(z), expected, rtol=2e-7)
    dense = smooth_clip(np.linspace(-40, 40, 5001))
    assert (np.diff(dense) > 0).all()


def test_no_column_gives_no_input() -> None:
    encoding = learn_piecewise([], np.zeros(0), np.zeros(0), 16)
    assert (encoding.widths(), encoding.problem(0)) == ([], None)
    encoding.encode(np.zeros((0, 5)), np.zeros((0, 5)), np.zeros((0, 5)))
