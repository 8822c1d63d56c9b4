"""What every optimizer has: hyper-parameters that are checked, and an update rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy.typing as npt

from ffn.nn.hyperparameters import Hyperparameter

__all__ = ["DEFAULT_LEARNING_RATE", "Arrays", "Optimizer"]

Array = npt.NDArray[Any]

DEFAULT_LEARNING_RATE = 0.005
"""With it each of the four optimizers learns Iris in 150 epochs of batches of 32."""


class Arrays(NamedTuple):
    """The arrays of an optimizer's step on K networks of P parameters.

    Attributes
    ----------
    p, g
        Parameters and their gradients, [K, P].
    memory
        The optimizer's own arrays, [K, P] each, all zero before the first step.
    decays
        [P]: 1 for each parameter that weight decay applies to, 0 for the others.
    scratch
        Array [K, P] for intermediate results.
    """

    p: Array
    g: Array
    memory: tuple[Array, ...]
    decays: Array
    scratch: Array


class Optimizer(Protocol):
    """Hyper-parameters and an update rule.

    Attributes
    ----------
    memory_arrays
        How many arrays in the shape of the parameters the rule keeps from step to step.
    """

    memory_arrays: ClassVar[int]

    @property
    def learning_rate(self) -> Hyperparameter:
        """The learning rate, which a schedule may multiply by a factor for each step."""

    @property
    def by_network(self) -> dict[str, tuple[float, ...]]:
        """The hyper-parameters that have a value for each network, by name."""

    def select(self, networks: Sequence[int]) -> Self:
        """Return the optimizer for the networks at these positions, from 0."""

    def coefficients(self, lr: Any, t: int) -> tuple[Any, ...]:
        """Return the numbers of a step, in the order in which ``update`` takes them.

        Each is a number, or an array [K, 1] if it differs between networks.

        Parameters
        ----------
        lr
            Learning rate of this step: ``learning_rate`` times the schedule's factor. A number,
            or an array [K, 1].
        t
            Number of this step, from 1.
        """

    def update(self, arrays: Arrays, coefficients: Sequence[Array]) -> None:
        """Move the parameters in place.

        Parameters
        ----------
        arrays
            Parameters, gradients, and the optimizer's own arrays, which change, too.
        coefficients
            The numbers of this step, each as an array of the parameters' dtype, [] or [K, 1].
        """
