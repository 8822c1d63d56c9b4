"""The order of an epoch: every row once, by its own generator alone, in long stretches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ffn.nn import Network, spawn_generators
from ffn.nn.engine import batches
from ffn.nn.engine.shuffling import cut, epoch_orders

Run = Callable[..., tuple[Network, Any]]
SMALL = {"run_rows": 4, "piece_rows": 12}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tables of more than a dozen rows be shuffled in pieces, in training as well."""
    monkeypatch.setattr(batches, "epoch_orders", partial(epoch_orders, **SMALL))


def whole_order(
    n: int, generators: list[np.random.Generator], rows: Any = None, **sizes: int
) -> np.ndarray:
    return np.concatenate([*chain(*epoch_orders(rows, n, generators, 1, **sizes))], axis=1)


def test_a_short_table_is_permuted_whole() -> None:
    order = whole_order(50, spawn_generators(3, 2))
    assert_array_equal(order, [g.permutation(50) for g in spawn_generators(3, 2)])


def test_epochs_drawn_together_are_those_drawn_one_by_one() -> None:
    three = 3 * 8 * 2 * 50
    drawn = epoch_orders(None, 50, spawn_generators(3, 2), 7, drawn_bytes=three)
    orders = [piece for [piece] in drawn]
    expected = [[g.permutation(50) for _ in range(7)] for g in spawn_generators(3, 2)]
    assert_array_equal(np.swapaxes(orders, 0, 1), expected)


@given(n=st.integers(1, 200), k=st.integers(1, 3), seed=st.integers(0, 99))
def test_every_row_comes_once(n: int, k: int, seed: int) -> None:
    order = whole_order(n, spawn_generators(seed, k), **SMALL)
    for i, own in enumerate(order):
        assert sorted(own) == list(range(n))
        # A neighbour in the stack changes nothing.
        alone = whole_order(n, [spawn_generators(seed, k)[i]], **SMALL)
        assert_array_equal(own, alone[0])


@pytest.mark.parametrize("shared", [True, False])
def test_given_rows_are_those_at_the_same_places(shared: bool) -> None:
    rows = np.sort(np.random.default_rng(0).choice(10_000, (1 if shared else 3, 90)), axis=1)
    places = whole_order(90, spawn_generators(5, 3), **SMALL)
    order = whole_order(90, spawn_generators(5, 3), rows, **SMALL)
    assert_array_equal(order, [rows[0 if shared else k][places[k]] for k in range(3)])
    every = whole_order(90, spawn_generators(5, 3), np.arange(90)[None], **SMALL)
    assert_array_equal(places, every)


@pytest.mark.parametrize("n", [13, 24, 25, 1000, 1003])
def test_a_piece_is_read_in_runs_of_neighbours(n: int) -> None:
    orders = epoch_orders(None, n, spawn_generators(1, 1), 1, **SMALL)
    pieces = [piece[0] for piece in next(orders)]
    assert len(pieces) == -(-(n // 4) // 3)
    for piece in pieces:
        assert len(piece) <= 12 + 3
        # Three runs and the short one, either of which may go on at the table's beginning.
        assert np.count_nonzero(np.diff(np.sort(piece)) > 1) + 1 <= 5


def test_every_row_is_as_likely_early_as_late() -> None:
    generators = spawn_generators(11, 2000)
    order = whole_order(50, generators, **SMALL)
    places = order.argsort(axis=1)
    # The mean of 2,000 places uniform on 0..49 has standard deviation 14.4 / sqrt(2000) = 0.32.
    assert np.abs(places.mean(axis=0) - 24.5).max() < 4.5 * 0.32
    first = np.bincount(order[:, 0], minlength=50)
    # Chi-square with 49 degrees of freedom: 99.99 % lie below 97.
    assert ((first - 40) ** 2 / 40).sum() < 97


@given(lengths=st.lists(st.integers(0, 20), max_size=6), size=st.integers(1, 9))
def test_pieces_are_cut_anew_without_loss(lengths: list[int], size: int) -> None:
    table = np.arange(2 * sum(lengths)).reshape(2, -1)
    pieces = np.split(table, np.cumsum(lengths)[:-1], axis=1) if lengths else []
    blocks = list(cut(pieces, size))
    assert all(block.shape == (2, size) for block in blocks[:-1])
    if blocks:
        assert 1 <= blocks[-1].shape[1] <= size
        assert_array_equal(np.concatenate(blocks, axis=1), table)
    else:
        assert sum(lengths) == 0


@pytest.mark.usefixtures("small_pieces")
def test_a_stack_on_a_long_table_goes_as_each_alone(run: Run) -> None:
    settings = {"rows": np.arange(61)[None], "epochs": 4}
    stacked, _ = run(seeds=range(3), **settings)
    for k in range(3):
        alone, _ = run(seeds=[k], **settings)
        np.testing.assert_allclose(stacked.parameters[k], alone.parameters[0], rtol=1e-10)


@pytest.mark.usefixtures("small_pieces")
def test_a_table_mapped_from_a_file_is_the_table(run: Run, table: Any, tmp_path: Path) -> None:
    network, history = run(seeds=range(2), epochs=3)
    for name, array in (("x", table.x), ("labels", table.labels)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("x", "labels")]
    other, other_history = run(seeds=range(2), epochs=3, on=type(table)(*mapped))
    assert_array_equal(other.parameters, network.parameters)
    assert_array_equal(other_history.train_loss, history.train_loss)


@pytest.mark.usefixtures("small_pieces")
def test_all_rows_need_no_numbers(run: Run) -> None:
    network, history = run(epochs=3)
    other, other_history = run(epochs=3, rows=np.arange(97)[None])
    assert_array_equal(other.parameters, network.parameters)
    np.testing.assert_allclose(other_history.train_loss, history.train_loss, rtol=1e-14)
