"""What every optimizer has: hyper-parameters that are checked, and an update rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy.typing as npt

__all__ = ["DEFAULT_LEARNING_RATE", "Arrays", "Optimizer", "check_hyperparameters"]

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
    def learning_rate(self) -> float:
        """The learning rate, which a schedule may multiply by a factor for each step."""

    def coefficients(self, lr: float, t: int) -> tuple[float, ...]:
        """Return the numbers of a step, in the order in which ``update`` takes them.

        Parameters
        ----------
        lr
            Learning rate of this step: ``learning_rate`` times the schedule's factor.
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
            The numbers of this step, each as an array [] of the parameters' dtype.
        """


_BELOW_ONE = ("momentum", "beta1", "beta2")
_FROM_ZERO = ("epsilon", "weight_decay")


def check_hyperparameters(given: Mapping[str, Any]) -> None:
    """Check numbers by the names that the optimizers give them.

    Parameters
    ----------
    given
        Values by name; names without a range of their own are left alone.

    Raises
    ------
    ValueError
        A number is out of its range.
    """
    for name, value in given.items():
        if name == "learning_rate" and not 0 < value < math.inf:
            raise ValueError(f"learning_rate is {value}; expected a number above 0")
        if name in _BELOW_ONE and not 0 <= value < 1:
            raise ValueError(f"{name} is {value}; expected a number from 0 to below 1")
        if name in _FROM_ZERO and not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value}; expected a number from 0 up")
