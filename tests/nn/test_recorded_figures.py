"""What History says, worked out again by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, log_loss

from ffn.nn import History, Network
from ffn.nn.engine import stack_in_training
from ffn.nn.engine.batches import Batches
from ffn.nn.engine.evaluation import Evaluation, snapshots_at_once

Run = Callable[..., tuple[Network, Any]]
CLASSES = [0, 1, 2]
ROWS = np.stack([np.arange(0, 60), np.arange(30, 90)])
VALIDATION = np.stack([np.arange(60, 97), np.r_[0:30, 90:97]])


@pytest.mark.parametrize("weighted", [False, True])
def test_every_epochs_figures_are_sklearns(run: Run, table: Any, weighted: bool) -> None:
    weights = np.random.default_rng(1).uniform(0, 2, size=97) if weighted else None
    settings = {
        "seeds": range(2),
        "rows": ROWS,
        "validation_rows": VALIDATION,
        "row_weights": weights,
        "validation_weights": None if weights is None else weights[::-1].copy(),
    }
    _, history = run(epochs=6, **settings)
    for epoch in range(6):
        network, _ = run(epochs=epoch + 1, **settings)
        probabilities = network.predict_proba(table.x)
        for k in range(2):
            for part, part_weights, loss, accuracy in (
                (ROWS[k], weights, history.train_loss, history.train_accuracy),
                (
                    VALIDATION[k],
                    settings["validation_weights"],
                    history.validation_loss,
                    history.validation_accuracy,
                ),
            ):
                p, labels = probabilities[k, part], table.labels[part]
                own = None if part_weights is None else part_weights[part]
                assert loss[epoch, k] == pytest.approx(
                    log_loss(labels, p, labels=CLASSES, sample_weight=own), rel=1e-12
                )
                assert accuracy[epoch, k] == pytest.approx(
                    accuracy_score(labels, p.argmax(axis=1)), rel=1e-14
                )


@pytest.mark.parametrize("rows", [ROWS, None])
def test_of_many_rows_some_at_even_distances_are_watched(run: Run, table: Any, rows: Any) -> None:
    settings = {"seeds": range(2), "rows": rows, "validation_rows": VALIDATION, "epochs": 4}
    network, history = run(figure_rows=8, **settings)
    whole, of_all = run(**settings)
    np.testing.assert_array_equal(network.parameters, whole.parameters)
    np.testing.assert_array_equal(history.validation_loss, of_all.validation_loss)
    probabilities = network.predict_proba(table.x)
    for k in range(2):
        own = np.arange(97) if rows is None else rows[k]
        # A seventh of the way between the first and the last, rounded; halves do not occur.
        last = len(own) - 1
        some = own[[int(last * i / 7 + 0.5) for i in range(8)]]
        p, labels = probabilities[k, some], table.labels[some]
        assert history.train_loss[-1, k] == pytest.approx(
            log_loss(labels, p, labels=CLASSES), rel=1e-12
        )
        assert history.train_accuracy[-1, k] == accuracy_score(labels, p.argmax(axis=1))
    _, not_many = run(figure_rows=97, **settings)
    np.testing.assert_array_equal(not_many.train_loss, of_all.train_loss)


def test_shapes_and_types(run: Run) -> None:
    _, history = run(seeds=range(3), epochs=7)
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert getattr(history, name).shape == (7, 3)
        assert getattr(history, name).dtype == np.float64
    assert np.isnan(history.validation_loss).all()
    assert np.isnan(history.validation_accuracy).all()
    assert history.best_epoch.tolist() == [6, 6, 6]
    assert history.epochs_run.tolist() == [7, 7, 7]
    assert history.diverged == [None, None, None]
    assert history.finished.tolist() == [True, True, True]


def test_an_empty_history_knows_nothing() -> None:
    history = History.empty(4, 2)
    assert history.epochs_run.tolist() == [0, 0]
    assert history.best_epoch.tolist() == [-1, -1]
    # Each figure has an array of its own.
    history.train_loss[0, 0] = 1.0
    assert np.isnan(history.train_accuracy).all()


def in_smallest_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one batch; of one network, and as few rows as are taken at once."""
    monkeypatch.setattr(stack_in_training, "Batches", partial(Batches, block_bytes=1))
    monkeypatch.setattr(stack_in_training, "Evaluation", partial(Evaluation, working_bytes=1))


def test_block_sizes_do_not_show(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"seeds": range(2), "epochs": 6, "rows": ROWS, "validation_rows": VALIDATION}
    network, history = run(**settings)
    in_smallest_blocks(monkeypatch)
    other, other_history = run(**settings)
    np.testing.assert_array_equal(other.parameters, network.parameters)
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert_allclose(getattr(other_history, name), getattr(history, name), rtol=1e-13)


def test_weights_do_not_change_with_the_block(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.random.default_rng(1).uniform(0, 2, size=97)
    network, history = run(epochs=3, row_weights=weights)
    in_smallest_blocks(monkeypatch)
    other, other_history = run(epochs=3, row_weights=weights)
    np.testing.assert_array_equal(other.parameters, network.parameters)
    assert_allclose(other_history.train_loss, history.train_loss, rtol=1e-13)


def test_large_stacks_are_evaluated_a_few_snapshots_at_a_time() -> None:
    # 64 networks of 163 parameters: 41 KiB a snapshot, 6 in 256 KiB.
    assert snapshots_at_once(Network((4, 16, 4, 3), np.zeros((64, 163), np.float32))) == 6
    assert snapshots_at_once(Network((4, 16, 4, 3), np.zeros((1, 163), np.float32))) == 25
    large = Network((64, 512, 10), np.zeros((4, Network.count((64, 512, 10))), np.float32))
    assert snapshots_at_once(large) == 1


def test_progress_is_told_after_every_block(run: Run) -> None:
    reported: list[int] = []
    run(epochs=60, on_epoch=reported.append)
    assert reported == sorted(set(reported))
    assert reported[-1] == 60


def test_an_exception_from_the_callback_ends_the_training(run: Run) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt, match="enough"):
        run(epochs=10_000, on_epoch=stop)
