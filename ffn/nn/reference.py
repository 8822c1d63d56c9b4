"""A neural network that learns, as a textbook writes it: one network, one formula a line.

Start here. The rest of ``ffn.nn`` does the same arithmetic for many networks at once and many
times faster, and the tests hold it to this file. ``docs/network.md`` runs it on an example.

A network is a list of arrays ``[w1, b1, w2, b2, ...]``: each layer's weights [n_in, n_out] and
biases [n_out]. A batch has B rows: inputs x [B, n_in] and labels [B], integers below C.

Goodfellow, Bengio and Courville 2016, "Deep Learning", chapters 6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int_]
Memory = dict[str, Any]
Optimizer = Callable[[Array, Array, float, Memory], Array]


def initialise(widths: tuple[int, ...], generator: np.random.Generator) -> list[Array]:
    """Return random weights and zero biases for layers of these widths, (n_in, ..., C).

    The variance 2 / n_in makes up for ReLU, which cuts off half of every signal: He et al. 2015.
    """
    parameters: list[Array] = []
    for n_in, n_out in pairwise(widths):
        weights = generator.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)
        parameters += [weights, np.zeros(n_out)]
    return parameters


def forward(parameters: list[Array], x: Array) -> list[Array]:
    """Return the input of every layer, [B, n_in] each, and last the class scores [B, C]."""
    activations = [x]
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for w_hidden, b_hidden in hidden:
        activations.append(np.maximum(activations[-1] @ w_hidden + b_hidden, 0))  # ReLU
    return [*activations, activations[-1] @ w + b]


def log_softmax(scores: Array) -> Array:
    """Return the logarithms of the class probabilities exp(z) / sum(exp(z)), [B, C]."""
    z = scores - scores.max(axis=1, keepdims=True)  # the maximum cancels; exp cannot overflow
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def mean_loss(scores: Array, labels: Labels) -> float:
    """Return the cross-entropy: minus the log of the label's probability, averaged over rows."""
    return float(-log_softmax(scores)[np.arange(len(labels)), labels].mean())


def backward(parameters: list[Array], activations: list[Array], labels: Labels) -> list[Array]:
    """Return the derivative of the loss by each array of ``parameters``, in the same order.

    This is the chain rule, from the top down. ``delta`` is the derivative by a layer's output
    z = a w + b. At the top, cross-entropy of a softmax makes it (p - target) / B.
    """
    *inputs, scores = activations
    targets = np.eye(scores.shape[1])[labels]
    delta = (np.exp(log_softmax(scores)) - targets) / len(labels)
    gradients: list[Array] = []
    for w, a in zip(reversed(parameters[::2]), reversed(inputs), strict=True):
        gradients = [a.T @ delta, delta.sum(axis=0), *gradients]  # by w and by b
        delta = (delta @ w.T) * (a > 0)  # by a, then through ReLU, whose slope is 0 or 1
    return gradients


# An optimizer turns parameters p with gradient g into new ones, at the learning rate lr. What it
# remembers of earlier steps it keeps in ``memory``, a dictionary that is empty at first.


def sgd(p: Array, g: Array, lr: float, memory: Memory) -> Array:  # noqa: ARG001
    """Stochastic gradient descent: a step against the gradient."""
    return p - lr * g


def momentum(p: Array, g: Array, lr: float, memory: Memory) -> Array:
    """SGD along a velocity that sums up gradients, as in torch.optim.SGD without dampening."""
    v: Array = 0.9 * memory.get("v", 0) + g
    memory["v"] = v
    return p - lr * v


def adam(p: Array, g: Array, lr: float, memory: Memory) -> Array:
    """Kingma and Ba 2015, algorithm 1: running means of g and of its square, bias-corrected."""
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    t: int = memory.get("t", 0) + 1
    m: Array = beta1 * memory.get("m", 0) + (1 - beta1) * g
    v: Array = beta2 * memory.get("v", 0) + (1 - beta2) * g**2
    memory.update(t=t, m=m, v=v)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return p - lr * m_hat / (np.sqrt(v_hat) + epsilon)


def adamw(p: Array, g: Array, lr: float, memory: Memory) -> Array:
    """Loshchilov and Hutter 2019, algorithm 2: weights, not biases, decay before Adam's step."""
    decay = 0.01 if p.ndim == 2 else 0.0
    return adam(p - lr * decay * p, g, lr, memory)


def train(
    parameters: list[Array],
    optimizer: Optimizer,
    lr: float,
    x: Array,
    labels: Labels,
    orders: Iterable[npt.NDArray[np.int_]],
    batch_size: int,
) -> list[float]:
    """Train in place, one epoch for each order of the rows, [N]; return the loss after each."""
    memories: list[Memory] = [{} for _ in parameters]
    losses = []
    for order in orders:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            gradients = backward(parameters, forward(parameters, x[rows]), labels[rows])
            for i, g in enumerate(gradients):
                parameters[i] = optimizer(parameters[i], g, lr, memories[i])
        losses.append(mean_loss(forward(parameters, x)[-1], labels))
    return losses
