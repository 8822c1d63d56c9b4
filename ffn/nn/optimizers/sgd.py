"""Stochastic gradient descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ffn.nn.hyperparameters import Hyperparameter, Hyperparameters, column
from ffn.nn.optimizers.interface import DEFAULT_LEARNING_RATE, Arrays

__all__ = ["SGD", "Momentum"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class SGD(Hyperparameters):
    """Stochastic gradient descent: ``p <- p - lr g``.

    Parameters
    ----------
    learning_rate
        Change of a parameter per unit of its gradient, above 0.
    """

    learning_rate: Hyperparameter = DEFAULT_LEARNING_RATE
    memory_arrays: ClassVar[int] = 0

    def coefficients(self, lr: Any, t: int) -> tuple[Any, ...]:  # noqa: ARG002
        """Return lr: see ``Optimizer.coefficients``."""
        return (lr,)

    def update(self, arrays: Arrays, coefficients: Sequence[Array]) -> None:
        """Move the parameters in place: see ``Optimizer.update``."""
        p, g, _, _, scratch = arrays
        (lr,) = coefficients
        np.multiply(g, lr, out=scratch)
        p -= scratch


@dataclass(frozen=True, kw_only=True)
class Momentum(Hyperparameters):
    """SGD with momentum: ``v <- momentum v + g``;  ``p <- p - lr v``.

    The velocity v is in units of the gradient, as in ``torch.optim.SGD(momentum=...)`` without
    dampening. Polyak 1964 and Sutskever et al. 2013 have ``lr`` inside the velocity, which makes
    a difference as soon as the learning rate changes.

    Parameters
    ----------
    learning_rate
        Change of a parameter per unit of velocity, above 0.
    momentum
        Share of the velocity that is kept at each step, from 0 (plain SGD) to below 1. The usual
        0.9 sums gradients over about ten steps.
    """

    learning_rate: Hyperparameter = DEFAULT_LEARNING_RATE
    momentum: Hyperparameter = 0.9
    memory_arrays: ClassVar[int] = 1

    def coefficients(self, lr: Any, t: int) -> tuple[Any, ...]:  # noqa: ARG002
        """Return lr and momentum: see ``Optimizer.coefficients``."""
        return lr, column(self.momentum)

    def update(self, arrays: Arrays, coefficients: Sequence[Array]) -> None:
        """Move the parameters in place: see ``Optimizer.update``."""
        p, g, (v,), _, scratch = arrays
        lr, momentum = coefficients
        v *= momentum
        v += g
        np.multiply(v, lr, out=scratch)
        p -= scratch
