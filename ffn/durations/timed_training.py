"""Time a training on random rows of the shape of the real ones, for a fraction of a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ffn.nn import Network, Optimizer, train

__all__ = ["Training", "seconds_an_epoch"]

# Long enough that a clock's tick and a few slow steps do not matter.
_SECONDS = 0.05
_FEWEST_BATCHES = 2
_MOST_VALUES = 2**23


@dataclass(frozen=True, kw_only=True)
class Training:
    """A stack of networks to train, as far as its time depends on it.

    Attributes
    ----------
    widths
        Units of each layer, from inputs to classes.
    networks
        Networks that are trained together.
    rows, validation_rows
        Rows that each trains and validates on.
    batch_size
        Rows a step.
    optimizer
        The rule.
    dropout
        Share of the hidden units that are left out of a step.
    figure_rows
        Training rows on which figures are recorded after each epoch.
    dtype
        Floating-point type, ``float32`` or ``float64``.
    """

    widths: tuple[int, ...]
    networks: int
    rows: int
    validation_rows: int
    batch_size: int
    optimizer: Optimizer
    dropout: float
    figure_rows: int
    dtype: str


def seconds_an_epoch(training: Training, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that an epoch of a training takes on this machine, beside its load.

    A few batches of random rows are trained on, more and more until it takes long enough to
    be measured. What the rows hold does not matter for the time of a matrix product.

    Parameters
    ----------
    training
        What to train.
    clock
        Returns a time in seconds. By default that of a clock on the wall: whoever waits for a
        retraining has the same load to wait for.
    """
    batch = min(training.batch_size, training.rows)
    fits = max(batch, _MOST_VALUES // training.widths[0])
    rows, epochs = min(training.rows, _FEWEST_BATCHES * batch), 1
    # Not counted: it loads what is loaded once.
    _run(training, rows, 1)
    while True:
        started = clock()
        _run(training, rows, epochs)
        seconds = clock() - started
        if seconds >= _SECONDS:
            return seconds / epochs * training.rows / rows
        if rows < min(training.rows, fits):
            rows = min(training.rows, fits, 4 * rows)
        else:
            epochs *= 2


def _run(training: Training, rows: int, epochs: int) -> None:
    """Train on a share of the rows, and validate on the same share of the others."""
    share = rows / training.rows
    validation = round(share * training.validation_rows)
    draw = np.random.default_rng(0)
    x = draw.standard_normal((rows + validation, training.widths[0])).astype(training.dtype)
    labels = draw.integers(training.widths[-1], size=len(x))
    generators = draw.spawn(training.networks)
    network = Network.create(training.widths, generators, training.dtype)
    train(
        network,
        training.optimizer,
        x,
        labels,
        epochs=epochs,
        batch_size=training.batch_size,
        generators=generators,
        rows=np.arange(rows)[None],
        validation_rows=np.arange(rows, len(x))[None] if validation else None,
        dropout=training.dropout,
        figure_rows=max(1, round(share * training.figure_rows)),
    )
