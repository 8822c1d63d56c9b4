"""The tables and networks of the benchmark."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.training.work import Shape

__all__ = ["SHAPES"]

Array = npt.NDArray[Any]


def _iris() -> tuple[Array, Array]:
    from sklearn.datasets import load_iris

    x, labels = load_iris(return_X_y=True)
    return x, labels


def _digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    x, labels = load_digits(return_X_y=True)
    return x, labels


def _teacher(rows: int, n_in: int, classes: int) -> tuple[Array, Array]:
    """Draw normal inputs, labelled by which of a random network's outputs is the highest."""
    generator = np.random.default_rng(7)
    x = generator.standard_normal((rows, n_in), dtype=np.float32)
    hidden = np.tanh(x @ generator.standard_normal((n_in, 16)) / np.sqrt(n_in))
    scores = hidden @ generator.standard_normal((16, classes))
    return x, (scores - scores.mean(axis=0)).argmax(axis=1)


# Epochs are such that a training takes long enough to be timed, and learns enough to be checked.
_IRIS: dict[str, Any] = {
    "table": _iris,
    "hidden": (16, 4),
    "batch_size": 32,
    "epochs": 150,
    "learning_rate": 0.005,
}
_COVER: dict[str, Any] = {
    "table": partial(_teacher, 100_000, 54, 7),
    "hidden": (256, 128),
    "epochs": 1,
    "learning_rate": 0.001,
}

SHAPES = {
    "iris": Shape(name="Iris 4-16-4-3, B 32", **_IRIS),
    "iris-64": Shape(name="Iris, K = 64 stacked", networks=64, **_IRIS),
    "iris-256": Shape(name="Iris, K = 256 stacked", networks=256, **_IRIS),
    "digits": Shape(
        name="digits 64-128-64-10, B 64",
        table=_digits,
        hidden=(128, 64),
        batch_size=64,
        epochs=25,
        learning_rate=0.001,
    ),
    "100k-256": Shape(name="54-256-128-7, 100,000 rows, B 256", batch_size=256, **_COVER),
    "100k-1024": Shape(name="54-256-128-7, 100,000 rows, B 1024", batch_size=1024, **_COVER),
    "wide": Shape(
        name="512-1024-1024-10, B 1024",
        table=partial(_teacher, 6_400, 512, 10),
        hidden=(1024, 1024),
        batch_size=1024,
        epochs=1,
        learning_rate=0.001,
    ),
}
