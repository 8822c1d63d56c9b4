"""Early stopping against a run without it, whose history tells what should have happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.nn import (
    AdamW,
    History,
    Momentum,
    Network,
    Optimizer,
    OptimizerState,
    spawn_generators,
    train,
    training,
)
from ffn.nn.engine import stack_in_training

Run = Callable[..., tuple[Network, Any]]
PARTS = {"rows": np.arange(45)[None], "validation_rows": np.arange(45, 97)[None]}
OVERFITTING = {**PARTS, "learning_rate": 0.05, "batch_size": 8}


def expected_course(losses: np.ndarray, patience: int, min_delta: float) -> tuple[int, int]:
    """Return the best epoch and the number of epochs run."""
    best, best_epoch = np.inf, -1
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch == patience:
            return best_epoch, epoch + 1
    return best_epoch, len(losses)


@pytest.mark.parametrize("patience", [1, 3, 10])
@pytest.mark.parametrize("min_delta", [0.0, 0.05])
def test_stops_when_it_should_and_gives_back_the_best_epoch(
    run: Run, patience: int, min_delta: float
) -> None:
    seeds = range(3)
    _, full = run(seeds=seeds, epochs=80, **OVERFITTING)
    stopped, history = run(
        seeds=seeds, epochs=80, patience=patience, min_delta=min_delta, **OVERFITTING
    )
    for k in seeds:
        best, n_epochs = expected_course(full.validation_loss[:, k], patience, min_delta)
        assert n_epochs < 80
        assert history.best_epoch[k] == best
        assert history.epochs_run[k] == n_epochs
        assert_array_equal(
            history.validation_loss[:n_epochs, k], full.validation_loss[:n_epochs, k]
        )
        assert np.isnan(history.validation_loss[n_epochs:, k]).all()
        assert np.isnan(history.train_accuracy[n_epochs:, k]).all()
        until_best, _ = run(seeds=[k], epochs=best + 1, **OVERFITTING)
        np.testing.assert_allclose(
            stopped.parameters[k], until_best.parameters[0], rtol=1e-10, atol=1e-13
        )


def test_without_patience_the_last_epoch_is_kept(run: Run) -> None:
    network, history = run(seeds=range(2), epochs=30, **OVERFITTING)
    assert_array_equal(history.best_epoch, [29, 29])
    assert_array_equal(history.epochs_run, [30, 30])
    assert (history.validation_loss.argmin(axis=0) < 29).all()
    p = network.predict_proba(np.zeros((1, 4)))
    assert np.isfinite(p).all()


def test_patience_that_is_not_used_up_still_gives_back_the_best_epoch(run: Run) -> None:
    network, history = run(epochs=30, patience=1000, **OVERFITTING)
    assert history.epochs_run[0] == 30
    best = history.validation_loss[:, 0].argmin()
    assert best < 29
    assert history.best_epoch[0] == best
    assert_array_equal(network.parameters, run(epochs=best + 1, **OVERFITTING)[0].parameters)


def test_training_ends_when_all_have_stopped(run: Run) -> None:
    reported: list[int] = []
    _, history = run(
        seeds=range(3), epochs=5000, patience=3, on_epoch=reported.append, **OVERFITTING
    )
    assert reported[-1] <= history.epochs_run.max() + 25
    assert history.epochs_run.max() < 200


@pytest.mark.parametrize("block", [1, 3, 1000])
@pytest.mark.parametrize("patience", [None, 3])
def test_how_many_snapshots_are_evaluated_at_once_does_not_show(
    run: Run, monkeypatch: pytest.MonkeyPatch, block: int, patience: int | None
) -> None:
    settings = {"seeds": range(3), "epochs": 40, "patience": patience, **OVERFITTING}
    network, history = run(**settings)
    monkeypatch.setattr(stack_in_training, "snapshots_at_once", lambda *_: block)
    other, other_history = run(**settings)
    assert_array_equal(other.parameters, network.parameters)
    assert_array_equal(other_history.best_epoch, history.best_epoch)
    assert_array_equal(other_history.epochs_run, history.epochs_run)
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(
            getattr(other_history, name), getattr(history, name), rtol=1e-12, atol=1e-14
        )


def test_patience_needs_validation_rows(run: Run) -> None:
    with pytest.raises(ValueError, match="early stopping watches the validation loss and needs"):
        run(patience=3)


@pytest.mark.parametrize("dropout", [0.0, (0.3, 0.0, 0.1, 0.2, 0.0, 0.3)])
@pytest.mark.parametrize("optimizer", [Momentum(learning_rate=0.05), AdamW(learning_rate=0.02)])
def test_networks_that_stopped_leave_the_stack_and_nothing_shows(
    monkeypatch: pytest.MonkeyPatch, dropout: Any, optimizer: Optimizer
) -> None:
    """With and without those that stopped, the others draw and learn the same to the bit."""
    generator = np.random.default_rng(3)
    x = generator.standard_normal((90, 5)).astype(np.float32)
    labels = generator.integers(0, 3, 90)
    orders = np.array([generator.permutation(90) for _ in range(6)])
    sizes: list[int] = []
    step = OptimizerState.step

    def counted_step(self: OptimizerState, factor: float = 1.0) -> None:
        sizes.append(len(self.gradients))
        step(self, factor)

    monkeypatch.setattr(OptimizerState, "step", counted_step)
    monkeypatch.setattr(stack_in_training, "snapshots_at_once", lambda *_: 3)

    def result(share: float) -> tuple[Network, History, set[int]]:
        monkeypatch.setattr(training, "SHARE_TO_KEEP", share)
        sizes.clear()
        draws = spawn_generators(8, 6)
        network = Network.create((5, 12, 3), draws)
        history = train(
            network,
            optimizer,
            x,
            labels,
            epochs=60,
            batch_size=16,
            generators=draws,
            rows=orders[:, :60],
            validation_rows=orders[:, 60:],
            patience=4,
            dropout=dropout,
            label_smoothing=(0.0, 0.1, 0.2, 0.0, 0.1, 0.2),
            eliminate=lambda epoch, losses: [2] if epoch >= 6 else [],
        )
        return network, history, set(sizes)

    whole, history, seen = result(0.0)
    assert seen == {6}
    assert len(set(history.epochs_run.tolist())) > 2, "they stop at different times"
    assert history.epochs_run[2] == 6
    for share in (0.75, 1.0):
        network, other, seen = result(share)
        assert min(seen) <= 3, "those that stopped left the stack"
        assert_array_equal(network.parameters, whole.parameters)
        for name in ("train_accuracy", "validation_accuracy", "best_epoch", "epochs_run"):
            assert_array_equal(getattr(other, name), getattr(history, name))
        np.testing.assert_allclose(other.validation_loss, history.validation_loss, rtol=1e-5)
