"""JAX: a whole training as one compiled program, ``lax.scan`` over epochs and over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.training.contestant import Outcome
from benchmarks.training.work import Work

__all__ = ["Cold", "Warm"]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Warm:
    """Compiled before the clock starts; K networks by ``vmap``."""

    def __init__(self, work: Work) -> None:
        self.name = "JAX vmap, warm" if work.shape.networks > 1 else "JAX jit + scan, warm"
        self.work = work
        self.train = jax.jit(_training(work))
        self.tables = [jnp.asarray(part) for part in (*work.train_part, *work.validation_part)]
        self.orders = jnp.asarray(work.orders.astype(np.int32))

    def run(self) -> Outcome:
        """Train, and fetch the figures."""
        parameters = jax.tree.map(jnp.asarray, self.work.layers())
        figures = self.train(parameters, self.orders, *self.tables)
        # [K, epochs, 4] to [epochs, 4, K]
        return Outcome.of(np.moveaxis(np.asarray(figures), 0, -1))


class Cold(Warm):
    """The same, compiled anew each time, as after every change of a width or a batch size."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.name = self.name.replace("warm", "cold")

    def run(self) -> Outcome:
        """Compile, train, and fetch the figures."""
        # JAX caches by the function's identity, and this one is new.
        self.train = jax.jit(_training(self.work))
        return super().run()


def _training(work: Work) -> Callable[..., Any]:
    """Return a function of the parameters and orders of K networks and the two tables."""
    one = _one_network(work)
    if work.shape.networks > 1:
        return jax.vmap(one, in_axes=(0, 0, None, None, None, None))

    # vmap over a single network would make each product a batched one, which is slower.
    def alone(parameters: Any, orders: Any, *tables: Any) -> Any:
        return one(jax.tree.map(lambda part: part[0], parameters), orders[0], *tables)[None]

    return alone


def _one_network(work: Work) -> Callable[..., Any]:
    b, rate = work.shape.batch_size, work.shape.learning_rate
    full = work.n_train // b

    def step(state: Any, batch: Any) -> tuple[Any, None]:
        parameters, m, v, t = state
        gradients = jax.grad(_loss)(parameters, *batch)
        t = t + 1
        m = jax.tree.map(lambda m, g: _BETA1 * m + (1 - _BETA1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: _BETA2 * v + (1 - _BETA2) * g * g, v, gradients)
        own_rate, root = rate / (1 - _BETA1**t), jnp.sqrt(1 - _BETA2**t)
        parameters = jax.tree.map(
            lambda p, m, v: p - own_rate * m / (jnp.sqrt(v) / root + _EPSILON), parameters, m, v
        )
        return (parameters, m, v, t), None

    def train(
        parameters: Any, orders: Any, x: Any, labels: Any, x_watched: Any, labels_watched: Any
    ) -> Any:
        def epoch(state: Any, order: Any) -> tuple[Any, Any]:
            x_epoch, labels_epoch = x[order], labels[order]
            batches = (
                x_epoch[: full * b].reshape(full, b, x.shape[1]),
                labels_epoch[: full * b].reshape(full, b),
            )
            state, _ = lax.scan(step, state, batches)
            if len(order) > full * b:
                state, _ = step(state, (x_epoch[full * b :], labels_epoch[full * b :]))
            own, watched = (
                _loss_and_accuracy(state[0], *part)
                for part in ((x, labels), (x_watched, labels_watched))
            )
            return state, jnp.stack([*own, *watched])

        zeros = jax.tree.map(jnp.zeros_like, parameters)
        _, figures = lax.scan(epoch, (parameters, zeros, zeros, 0), orders)
        return figures

    return train


def _logits(parameters: Any, x: Any) -> Any:
    *hidden, (weights, biases) = parameters
    for own_weights, own_biases in hidden:
        x = jax.nn.relu(x @ own_weights.T + own_biases)
    return x @ weights.T + biases


def _cross_entropy(logits: Any, labels: Any) -> Any:
    picked = jax.nn.one_hot(labels, logits.shape[-1])
    return -(jax.nn.log_softmax(logits) * picked).sum(axis=-1).mean()


def _loss(parameters: Any, x: Any, labels: Any) -> Any:
    return _cross_entropy(_logits(parameters, x), labels)


def _loss_and_accuracy(parameters: Any, x: Any, labels: Any) -> tuple[Any, Any]:
    logits = _logits(parameters, x)
    return _cross_entropy(logits, labels), (logits.argmax(axis=-1) == labels).mean()
