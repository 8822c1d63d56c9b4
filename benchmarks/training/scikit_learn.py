"""scikit-learn's ``MLPClassifier``, from the same initial weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.training.contestant import Outcome
from benchmarks.training.work import Work

__all__ = ["Estimator", "Evaluated"]

Array = npt.NDArray[Any]


class Evaluated:
    """``partial_fit`` an epoch at a time, in the given order, and loss and accuracy after each.

    One ``predict_proba`` a part gives both; ``score`` would need a second.
    """

    name = "scikit-learn, evaluated each epoch"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.train = _table(work, work.train_part)
        self.validation = _table(work, work.validation_part)
        self.classes = np.arange(work.widths[-1])

    def run(self) -> Outcome:
        """Train and evaluate after each epoch."""
        model = _FromGivenWeights(self.work, shuffle=False)
        (x, labels), figures = self.train, []
        for order in self.work.orders[0]:
            model.partial_fit(x[order], labels[order], classes=self.classes)
            figures.append([*_evaluate(model, *self.train), *_evaluate(model, *self.validation)])
        return Outcome.of(figures)


class Estimator:
    """One ``fit``: in an order of its own, evaluated after the last epoch alone."""

    name = "scikit-learn fit, not evaluated"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.train = _table(work, work.train_part)
        self.validation = _table(work, work.validation_part)

    def run(self) -> Outcome:
        """Train all epochs, then evaluate."""
        model = _FromGivenWeights(self.work, shuffle=True)
        with warnings.catch_warnings():
            # That the last epoch was reached is what was asked for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(*self.train)
        if model.n_iter_ != self.work.shape.epochs:
            raise RuntimeError(f"scikit-learn stopped after {model.n_iter_} epochs")
        return Outcome.of([[*_evaluate(model, *self.train), *_evaluate(model, *self.validation)]])


class _FromGivenWeights(MLPClassifier):
    """All that costs time and is not asked for switched off; the initial weights are the work's."""

    def __init__(self, work: Work, *, shuffle: bool) -> None:
        shape = work.shape
        super().__init__(
            shape.hidden,
            batch_size=shape.batch_size,
            learning_rate_init=shape.learning_rate,
            max_iter=shape.epochs,
            alpha=0.0,
            early_stopping=False,
            # All epochs are to run: nothing counts as "no longer improving".
            tol=0.0,
            n_iter_no_change=shape.epochs + 1,
            shuffle=shuffle,
            random_state=0,
        )
        self.work = work

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Array, Array]:
        given = {weights.shape[2:0:-1]: (weights, biases) for weights, biases in self.work.layers()}
        weights, biases = given[fan_in, fan_out]
        return weights[0].T.astype(dtype, order="C"), biases[0].astype(dtype)


def _table(work: Work, part: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return the rows in the precision in which scikit-learn is the faster."""
    x, labels = part
    return (x.astype(np.float64) if max(work.widths) < 64 else x), labels


def _evaluate(model: MLPClassifier, x: Array, labels: Array) -> tuple[float, float]:
    p = model.predict_proba(x)
    own = p[np.arange(len(labels)), labels]
    # The bound is the one of scikit-learn's own log_loss.
    loss = -np.log(np.maximum(own, np.finfo(p.dtype).eps)).mean()
    return float(loss), float((p.argmax(axis=1) == labels).mean())
