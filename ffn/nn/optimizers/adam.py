"""Adam, and AdamW, which is Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ffn.nn.hyperparameters import (
    Hyperparameter,
    Hyperparameters,
    column,
    power,
    square_root,
)
from ffn.nn.optimizers.interface import DEFAULT_LEARNING_RATE, Arrays

__all__ = ["Adam", "AdamW"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Adam(Hyperparameters):
    """Adam: Kingma and Ba 2015, algorithm 1.

    | ``m <- beta1 m + (1 - beta1) g``, and ``m_hat = m / (1 - beta1^t)``
    | ``v <- beta2 v + (1 - beta2) g^2``, and ``v_hat = v / (1 - beta2^t)``
    | ``p <- p - lr m_hat / (sqrt(v_hat) + epsilon)``

    Epsilon is added after the bias correction, as in the paper and in ``torch.optim.Adam``.

    ``update`` keeps ``m / (1 - beta1)`` and ``v / (1 - beta2)`` in place of m and v, which saves
    three passes over the parameters. With ``c = sqrt((1 - beta2^t) / (1 - beta2))`` the last line
    becomes ``p <- p - [lr c (1 - beta1) / (1 - beta1^t)] m / (sqrt(v) + c epsilon)``.

    Parameters
    ----------
    learning_rate
        About how far a step moves a parameter whose gradient keeps its sign, above 0.
    beta1
        Share of the running mean m of gradients that is kept at each step, from 0 to below 1;
        the paper's 0.9.
    beta2
        The same for the running mean v of squared gradients; the paper's 0.999.
    epsilon
        Keeps the division finite, in units of the gradient, from 0 up; the paper's 1e-8.
    """

    learning_rate: Hyperparameter = DEFAULT_LEARNING_RATE
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8
    memory_arrays: ClassVar[int] = 2

    def coefficients(self, lr: Any, t: int) -> tuple[Any, ...]:
        """Return the rate, epsilon, beta1 and beta2: see ``Optimizer.coefficients``."""
        beta1, beta2 = column(self.beta1), column(self.beta2)
        c = square_root((1 - power(beta2, t)) / (1 - beta2))
        rate = lr * c * (1 - beta1) / (1 - power(beta1, t))
        return rate, c * column(self.epsilon), beta1, beta2

    def update(self, arrays: Arrays, coefficients: Sequence[Array]) -> None:
        """Move the parameters in place: see ``Optimizer.update``."""
        p, g, (m, v), _, scratch = arrays
        rate, epsilon, beta1, beta2 = coefficients
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


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2.

    ``p <- p - lr weight_decay p``, then Adam's step, as in ``torch.optim.AdamW``. The decay
    follows the schedule and, unlike an L2 penalty, does not pass through Adam's running means.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for ``Adam``.
    weight_decay
        Share of a weight that a step takes away, per unit of learning rate, from 0 (Adam) up;
        PyTorch's 0.01.
    decay_biases
        Whether biases decay as weights do. Default: no, since a bias shifts a unit and does not
        make the function steeper. Frozen layers never decay.
    """

    weight_decay: Hyperparameter = 0.01
    decay_biases: bool = False

    def coefficients(self, lr: Any, t: int) -> tuple[Any, ...]:
        """Return the decay, then Adam's: see ``Optimizer.coefficients``."""
        return -lr * column(self.weight_decay), *super().coefficients(lr, t)

    def update(self, arrays: Arrays, coefficients: Sequence[Array]) -> None:
        """Move the parameters in place: see ``Optimizer.update``."""
        p, _, _, decays, scratch = arrays
        decay, *adams = coefficients
        # One row serves all networks that decay alike.
        kept = np.multiply(decays, decay, out=scratch if decay.ndim else scratch[0])
        kept += 1
        p *= kept
        super().update(arrays, adams)
