"""Iris with four optimizers: JAX, a whole training compiled for each."""

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

data, epochs = np.load(sys.argv[1]), int(sys.argv[2])
x, y = jnp.asarray(data["x_train"]), jnp.asarray(data["y_train"])
x_validation, y_validation = jnp.asarray(data["x_validation"]), jnp.asarray(data["y_validation"])
B = 32
FULL = len(x) // B


def logits(parameters: Any, x: jax.Array) -> jax.Array:
    """Class scores [n, 3]."""
    *hidden, (weights, biases) = parameters
    for own_weights, own_biases in hidden:
        x = jax.nn.relu(x @ own_weights + own_biases)
    return x @ weights + biases


def loss(parameters: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross-entropy."""
    one_hot = jax.nn.one_hot(y, 3)
    return -(jax.nn.log_softmax(logits(parameters, x)) * one_hot).sum(axis=1).mean()


def accuracy(parameters: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Share of rows whose highest score is their label's."""
    return (logits(parameters, x).argmax(axis=1) == y).mean()


def sgd(rate: float, momentum: float = 0.0) -> Callable[..., Any]:
    """SGD, with or without momentum."""

    def update(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
        del t
        m = momentum * m + g
        return p - rate * m, m, v

    return update


def adam(rate: float, decay: float = 0.0) -> Callable[..., Any]:
    """Adam, or AdamW if the weights decay."""

    def update(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return p - rate * (step + decay * p), m, v

    return update


def training(update: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiled function from initial parameters and batch orders to the history."""

    def step(state: Any, batch: Any) -> tuple[Any, None]:
        parameters, m, v, t = state
        gradients = jax.grad(loss)(parameters, *batch)
        leaves, tree = jax.tree.flatten(parameters)
        parts = [jax.tree.leaves(part) for part in (gradients, m, v)]
        moved = [update(*own, t + 1) for own in zip(leaves, *parts, strict=True)]
        parameters, m, v = (jax.tree.unflatten(tree, part) for part in zip(*moved, strict=True))
        return (parameters, m, v, t + 1), None

    def epoch(state: Any, order: jax.Array) -> tuple[Any, Any]:
        full = order[: FULL * B].reshape(FULL, B)
        state, _ = lax.scan(step, state, (x[full], y[full]))
        state, _ = step(state, (x[order[FULL * B :]], y[order[FULL * B :]]))
        parts = ((x, y), (x_validation, y_validation))
        return state, [f(state[0], *part) for part in parts for f in (loss, accuracy)]

    def train(parameters: Any, orders: jax.Array) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return lax.scan(epoch, (parameters, zeros, zeros, 0), orders)[1]

    return jax.jit(train)


OPTIMIZERS = {
    "sgd": sgd(0.05),
    "momentum": sgd(0.01, momentum=0.9),
    "adam": adam(0.005),
    "adamw": adam(0.005, decay=0.01),
}

for name, update in OPTIMIZERS.items():
    # NumPy draws: to compile JAX's generator as well would only cost more.
    generator = np.random.default_rng(0)
    parameters = [
        (
            jnp.asarray(generator.normal(0, (2 / n_in) ** 0.5, (n_in, n_out)), jnp.float32),
            jnp.zeros(n_out),
        )
        for n_in, n_out in [(4, 16), (16, 4), (4, 3)]
    ]
    orders = jnp.asarray(np.array([generator.permutation(len(x)) for _ in range(epochs)]))
    history = training(update)(parameters, orders)
    print(name, float(history[3][-1]))  # noqa: T201
