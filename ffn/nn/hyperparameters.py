"""Hyper-parameters: one number for all networks of a stack, or one for each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Hyperparameter",
    "Hyperparameters",
    "check_count",
    "check_range",
    "column",
    "power",
    "square_root",
]

Array = npt.NDArray[Any]
# Any stands for tuple[float, ...]: who set a number may read it back as one, without ruling out
# the tuple for the type checker. The values are checked when an optimizer is made.
Hyperparameter: TypeAlias = float | Any
"""A number for all networks of a stack, or a tuple of K numbers, one for each."""

_BELOW_ONE = ("momentum", "beta1", "beta2", "dropout", "label_smoothing")
_FROM_ZERO = ("epsilon", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the optimizers share: their numbers are checked, and may differ between networks.

    Raises
    ------
    ValueError
        A number is out of its range, or a hyper-parameter is neither a number nor a tuple of them.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_range(name, value)

    @property
    def by_network(self) -> dict[str, tuple[float, ...]]:
        """The hyper-parameters that have a value for each network, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, tuple)}

    def select(self, networks: Sequence[int]) -> Self:
        """Return the optimizer for the networks at these positions, from 0.

        It goes with ``Network.select``. Numbers that hold for all networks stay as they are.
        """
        chosen = {name: tuple(own[k] for k in networks) for name, own in self.by_network.items()}
        return replace(self, **chosen)


def check_range(name: str, value: Any) -> None:
    """Check a hyper-parameter, or each of K, by the range that belongs to its name.

    Raises
    ------
    ValueError
        A number is out of the range, or ``value`` is neither a number nor a tuple of them. A name
        without a range is left alone.
    """
    if not isinstance(value, tuple):
        _check(name, name, value)
        return
    if not value:
        raise ValueError(f"{name} is (); expected a number, or one for each network")
    for k, own in enumerate(value):
        _check(name, f"{name} of network {k}", own)


def check_count(name: str, value: Hyperparameter, k: int) -> None:
    """Check that a tuple of values has one for each of the k networks of a stack.

    Raises
    ------
    ValueError
        It has more or fewer.
    """
    if isinstance(value, tuple) and len(value) != k:
        raise ValueError(
            f"{name} has {len(value)} values for a stack of {k} networks; give one number, or one "
            "for each network"
        )


def _check(name: str, what: str, value: object) -> None:
    """Refuse a value outside the range of hyper-parameter ``name``; ``what`` is its full name."""
    if name == "learning_rate":
        lowest, highest, expected = 0.0, math.inf, "above 0"
    elif name in _BELOW_ONE:
        lowest, highest, expected = 0.0, 1.0, "from 0 to below 1"
    elif name in _FROM_ZERO:
        lowest, highest, expected = 0.0, math.inf, "from 0 up"
    else:
        return
    number = float(value) if isinstance(value, Real) else math.nan
    if not lowest <= number < highest or (name == "learning_rate" and number == 0):
        raise ValueError(f"{what} is {value}; expected a number {expected}")


def column(value: Hyperparameter) -> Any:
    """Return a number as it is, and K numbers as an array [K, 1], float64."""
    return np.array(value, dtype=float)[:, None] if isinstance(value, tuple) else value


def power(base: Any, exponent: int) -> Any:
    """Return ``base ** exponent`` of a number or of an array [K, 1].

    NumPy may round the last bit of a power in another way than Python does. Python's is taken for
    arrays, too, so that each network gets the number that it would get alone.
    """
    if not isinstance(base, np.ndarray):
        return base**exponent
    return np.array([[own**exponent] for own in base[:, 0].tolist()])


def square_root(x: Any) -> Any:
    """Return the square root of a number or of an array. For a number this is faster than NumPy."""
    return np.sqrt(x) if isinstance(x, np.ndarray) else math.sqrt(x)
