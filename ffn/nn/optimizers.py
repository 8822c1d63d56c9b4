"""Four ways to walk down the gradient, each in PyTorch's form.

An optimizer owns the gradients [K, P] of the parameters [K, P] it moves. ``step`` works in
place on blocks of the flat array that stay in the processor's cache. In the equations ``p``
are parameters, ``g`` gradients, ``t`` counts steps from 1, and ``lr`` is the learning rate
times the schedule's factor. Numbers that multiply arrays are arrays [] of the same type: NumPy
takes as long to make one of a Python number as to multiply a small network's parameters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ffn.nn.network import Network

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Momentum", "Optimizer", "create_optimizer"]

Array = npt.NDArray[Any]

# Elements of each array handled at once: five such float32 arrays take a third of a 1 MB L2.
_BLOCK = 16384


class Optimizer(Protocol):
    """What ``train`` needs of an optimizer.

    Attributes
    ----------
    gradients
        Array [K, P], to be filled before a step.
    memory
        The arrays by which earlier steps act on later ones. Copied into those of a fresh
        optimizer of the same kind, they let it go on where the other stopped.
    """

    gradients: Array
    memory: tuple[Array, ...]

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters by one step, with the learning rate times ``factor``."""


def _blocks(*arrays: Array) -> list[tuple[Array, ...]]:
    """Return the arrays' flat views, cut into blocks, and with each block room for one more.

    That room is the same for all blocks, so it never leaves the cache.
    """
    flat = [array.reshape(-1, copy=False) for array in arrays]
    cuts: Iterator[slice] = (slice(i, i + _BLOCK) for i in range(0, flat[0].size, _BLOCK))
    blocks = [[array[cut] for array in flat] for cut in cuts]
    scratch = np.empty_like(blocks[0][0])
    return [(*block, scratch[: block[0].size]) for block in blocks]


class SGD:
    """Stochastic gradient descent: ``p <- p - lr * g``."""

    def __init__(self, parameters: Array, *, learning_rate: float = 0.01) -> None:
        self.learning_rate = learning_rate
        self.gradients = np.zeros_like(parameters)
        self.memory: tuple[Array, ...] = ()
        self._lr = np.empty((), parameters.dtype)
        self._blocks = _blocks(parameters, self.gradients)

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters by one step, with the learning rate times ``factor``."""
        lr = self._lr
        lr[...] = self.learning_rate * factor
        for p, g, update in self._blocks:
            np.multiply(g, lr, out=update)
            p -= update


class Momentum:
    """SGD with momentum, the velocity in units of the gradient.

    ``v <- momentum * v + g``;  ``p <- p - lr * v``.

    Sutskever et al. 2013 and Polyak 1964 put ``lr`` inside ``v``; the two differ when the
    learning rate changes. This is ``torch.optim.SGD(momentum=..., dampening=0)``.
    """

    def __init__(
        self, parameters: Array, *, learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        self.learning_rate = learning_rate
        self.gradients = np.zeros_like(parameters)
        self._lr = np.empty((), parameters.dtype)
        self._momentum = np.array(momentum, parameters.dtype)
        self.velocity = np.zeros_like(parameters)
        self.memory: tuple[Array, ...] = (self.velocity,)
        self._blocks = _blocks(parameters, self.gradients, self.velocity)

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters by one step, with the learning rate times ``factor``."""
        lr, momentum = self._lr, self._momentum
        lr[...] = self.learning_rate * factor
        for p, g, v, update in self._blocks:
            v *= momentum
            v += g
            np.multiply(v, lr, out=update)
            p -= update


class Adam:
    """Adam: Kingma and Ba 2015, algorithm 1; epsilon after bias correction, as there.

    | ``m <- beta1 * m + (1 - beta1) * g``
    | ``v <- beta2 * v + (1 - beta2) * g^2``
    | ``p <- p - lr * m_hat / (sqrt(v_hat) + epsilon)``
    | with ``m_hat = m / (1 - beta1^t)`` and ``v_hat = v / (1 - beta2^t)``.

    Kept here are ``m / (1 - beta1)`` and ``v / (1 - beta2)``, which need no product with the
    gradient; with ``c = sqrt((1 - beta2^t) / (1 - beta2))`` the last line becomes
    ``p <- p - [lr * c * (1 - beta1) / (1 - beta1^t)] * m / (sqrt(v) + c * epsilon)``.
    """

    def __init__(
        self,
        parameters: Array,
        *,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.gradients = np.zeros_like(parameters)
        self.m = np.zeros_like(parameters)
        self.v = np.zeros_like(parameters)
        self.t = np.zeros(1, dtype=np.int64)
        self.memory: tuple[Array, ...] = (self.m, self.v, self.t)
        self._scalars = [np.array(value, parameters.dtype) for value in (beta1, beta2, 0, 0)]
        self._blocks = _blocks(parameters, self.gradients, self.m, self.v)

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters by one step, with the learning rate times ``factor``."""
        t = self.t.item() + 1
        self.t[0] = t
        c = math.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        beta1, beta2, rate, epsilon = self._scalars
        rate[...] = self.learning_rate * factor * c * (1 - self.beta1) / (1 - self.beta1**t)
        epsilon[...] = c * self.epsilon
        for p, g, m, v, scratch in self._blocks:
            m *= beta1
            m += g
            v *= beta2
            np.multiply(g, g, out=scratch)
            v += scratch
            np.sqrt(v, out=scratch)
            scratch += epsilon
            np.divide(m, scratch, out=scratch)
            scratch *= rate
            p -= scratch


class AdamW:
    """Adam with decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2.

    ``p <- p - lr * weight_decay * p`` before Adam's step, as in ``torch.optim.AdamW``: the
    decay follows the schedule and, unlike an L2 penalty, does not pass through ``v``.

    Parameters
    ----------
    parameters
        Array [K, P].
    decayed
        Booleans [P]: which parameters decay. None for all; ``create_optimizer`` leaves the
        biases out.
    learning_rate, weight_decay, beta1, beta2, epsilon
        As in the equations.
    """

    def __init__(
        self,
        parameters: Array,
        *,
        learning_rate: float = 0.001,
        weight_decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        decayed: Array | None = None,
    ) -> None:
        self.adam = Adam(
            parameters, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon
        )
        self.gradients = self.adam.gradients
        self.memory: tuple[Array, ...] = self.adam.memory
        self.weight_decay = weight_decay
        everywhere = np.ones(parameters.shape[-1], bool) if decayed is None else decayed
        self._decayed = everywhere.astype(parameters.dtype)
        self._parameters = parameters
        self._rate = 0.0
        self._shrink = np.ones_like(self._decayed)

    @property
    def learning_rate(self) -> float:
        """The learning rate before the schedule's factor."""
        return self.adam.learning_rate

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters by one step, with the learning rate times ``factor``."""
        rate = self.learning_rate * factor * self.weight_decay
        if rate != self._rate:
            self._rate = rate
            np.subtract(1, rate * self._decayed, out=self._shrink)
        self._parameters *= self._shrink
        self.adam.step(factor)


OPTIMIZERS: dict[str, type[SGD] | type[Momentum] | type[Adam] | type[AdamW]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "adam": Adam,
    "adamw": AdamW,
}


def create_optimizer(
    name: str,
    network: Network,
    *,
    frozen_layers: Collection[int] = (),
    decay_biases: bool = False,
    **hyperparameters: Any,
) -> Optimizer:
    """Return the optimizer called ``name`` (a key of ``OPTIMIZERS``) for a stack's parameters.

    AdamW decays the weights alone unless ``decay_biases``: a bias shifts a unit and does not
    make the function steeper. Frozen layers do not decay.

    Raises
    ------
    ValueError
        ``name`` is not an optimizer.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f'unknown optimizer "{name}"; there are {", ".join(OPTIMIZERS)}')
    if name == "adamw":
        trainable = [i for i in range(len(network.layers)) if i not in frozen_layers]
        decayed = network.parameter_mask(trainable, biases=decay_biases)
        return AdamW(network.parameters, decayed=decayed, **hyperparameters)
    return OPTIMIZERS[name](network.parameters, **hyperparameters)
