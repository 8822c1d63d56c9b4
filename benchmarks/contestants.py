"""Who trains what: the same network, rows and settings, ours beside scikit-learn's."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from ffn import FFNClassifier
from ffn.models.pipeline import find_pipeline
from ffn.models.retraining import load, normalise, split
from ffn.nn import Network, create_optimizer, spawn_generators, train

__all__ = ["Contest", "Rows", "Training", "contests", "iris_rows"]

Array = npt.NDArray[Any]
Training = Callable[[int], Array]
"""Takes a seed, trains, and returns the held-out accuracy of each network."""

HIDDEN = (16, 4)
BATCH = 32
LEARNING_RATE = 0.005
STACKED = 16

# scikit-learn's solvers in the terms of ours; Nesterov's momentum is another algorithm.
_SOLVERS: dict[str, dict[str, Any]] = {
    "adam": {"solver": "adam"},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of Iris as a retraining splits and standardises them.

    Attributes
    ----------
    x, labels
        Inputs [150, 4], float64, and integers [150].
    train, held_out
        Row numbers: 120 to train on, 30 to watch.
    """

    x: Array
    labels: Array
    train: Array
    held_out: Array


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Two trainings that do the same work: ``networks`` of them for each call."""

    name: str
    optimizer: str
    networks: int
    ours: Training
    theirs: Training


def iris_rows(root: Path) -> Rows:
    """Return Iris from ``root/data/iris``, split and standardised by the product's own steps."""
    pipeline = find_pipeline("iris", root)
    dataset = load(pipeline)
    prepared = normalise(dataset, split(dataset, pipeline), pipeline)
    n_train, n_test = len(prepared.x_train), len(prepared.x_test)
    return Rows(
        x=np.concatenate([prepared.x_train, prepared.x_test]).astype(np.float64),
        labels=np.concatenate([prepared.labels_train, prepared.labels_test]),
        train=np.arange(n_train),
        held_out=np.arange(n_train, n_train + n_test),
    )


def contests(rows: Rows, epochs: int) -> list[Contest]:
    """Return every comparison for both optimizers."""
    found = []
    for optimizer in _SOLVERS:
        work = _Work(rows=rows, optimizer=optimizer, epochs=epochs)
        sides = [
            ("one network, both evaluate", 1, _alone, _epoch_by_epoch),
            ("one network, only ours evaluates", 1, _alone, _fit),
            ("estimator against estimator", 1, _estimator, _fit),
            (f"{STACKED} stacked against {STACKED} in a row", STACKED, _stacked, _in_a_row),
        ]
        found += [
            Contest(
                name=name,
                optimizer=optimizer,
                networks=networks,
                ours=functools.partial(ours, work),
                theirs=functools.partial(theirs, work),
            )
            for name, networks, ours, theirs in sides
        ]
    return found


@dataclass(frozen=True, kw_only=True)
class _Work:
    rows: Rows
    optimizer: str
    epochs: int


def _alone(work: _Work, seed: int) -> Array:
    return _stack(work, seed, 1)


def _stacked(work: _Work, seed: int) -> Array:
    return _stack(work, seed, STACKED)


def _stack(work: _Work, seed: int, networks: int) -> Array:
    """Ours, as a retraining does it: loss and accuracy on both parts after every epoch."""
    rows = work.rows
    generators = spawn_generators(seed, networks)
    widths = (rows.x.shape[1], *HIDDEN, int(rows.labels.max()) + 1)
    network = Network.create(widths, generators)
    history = train(
        network,
        create_optimizer(work.optimizer, network, learning_rate=LEARNING_RATE),
        rows.x.astype(np.float32),
        rows.labels,
        epochs=work.epochs,
        batch_size=BATCH,
        generators=generators,
        rows=rows.train[None],
        validation_rows=rows.held_out[None],
    )
    accuracy: Array = history.validation_accuracy[-1]
    return accuracy


def _estimator(work: _Work, seed: int) -> Array:
    """Ours behind scikit-learn's interface; training loss and accuracy after every epoch."""
    model = FFNClassifier(
        HIDDEN,
        optimizer=work.optimizer,  # type: ignore[arg-type]
        learning_rate=LEARNING_RATE,
        batch_size=BATCH,
        epochs=work.epochs,
        random_state=seed,
    )
    model.fit(work.rows.x[work.rows.train], work.rows.labels[work.rows.train])
    return _accuracy(model, work.rows)


def _classifier(work: _Work, seed: int) -> MLPClassifier:
    """Theirs with all that costs time and is not asked for switched off."""
    return MLPClassifier(
        HIDDEN,
        batch_size=BATCH,
        learning_rate_init=LEARNING_RATE,
        max_iter=work.epochs,
        alpha=0.0,
        early_stopping=False,
        # All epochs are to run: nothing counts as "no longer improving".
        tol=0.0,
        n_iter_no_change=work.epochs + 1,
        random_state=seed,
        **_SOLVERS[work.optimizer],
    )


def _fit(work: _Work, seed: int) -> Array:
    """Theirs by ``fit``: the training loss it sums up on the way, no evaluation."""
    model = _classifier(work, seed)
    with warnings.catch_warnings():
        # That the last epoch was reached is what was asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(work.rows.x[work.rows.train], work.rows.labels[work.rows.train])
    if model.n_iter_ != work.epochs:
        raise RuntimeError(f"scikit-learn stopped after {model.n_iter_} of {work.epochs} epochs")
    return _accuracy(model, work.rows)


def _epoch_by_epoch(work: _Work, seed: int) -> Array:
    """Theirs by ``partial_fit``, with ``score`` of both parts after every epoch."""
    model, rows = _classifier(work, seed), work.rows
    x, labels = rows.x[rows.train], rows.labels[rows.train]
    x_held_out, labels_held_out = rows.x[rows.held_out], rows.labels[rows.held_out]
    classes = np.unique(labels)
    for _ in range(work.epochs):
        model.partial_fit(x, labels, classes=classes)
        model.score(x, labels)
        accuracy = model.score(x_held_out, labels_held_out)
    return np.array([accuracy])


def _in_a_row(work: _Work, seed: int) -> Array:
    """Theirs, as many as ours stacks, one ``fit`` after another."""
    seeds = range(seed * STACKED, (seed + 1) * STACKED)
    return np.concatenate([_fit(work, own) for own in seeds])


def _accuracy(model: FFNClassifier | MLPClassifier, rows: Rows) -> Array:
    return np.array([model.score(rows.x[rows.held_out], rows.labels[rows.held_out])])
