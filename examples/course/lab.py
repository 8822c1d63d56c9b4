"""The run of ``docs/learn/lab.html`` in Python: the same random numbers, hence the same losses."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from examples.course.flowers import iris, scaled
from ffn.nn import reference

__all__ = ["LabGenerator", "lab_run"]

_BITS = 2**32 - 1


class LabGenerator:
    """Random numbers that a page can draw as well: 32 bits of state, by mulberry32.

    Parameters
    ----------
    seed
        A natural number; its lowest 32 bits count.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & _BITS

    def random(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        self._state = state = (self._state + 0x6D2B79F5) & _BITS
        t = (state ^ state >> 15) * (state | 1) & _BITS
        t ^= (t + ((t ^ t >> 7) * (t | 61))) & _BITS
        return ((t ^ t >> 14) & _BITS) / 2**32

    def standard_normal(self, shape: tuple[int, ...]) -> reference.Array:
        """Return normal numbers, each from two uniform ones: Box and Muller 1958.

        Parameters
        ----------
        shape
            Of the array, filled row by row.
        """
        numbers = [
            math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())
            for _ in range(math.prod(shape))
        ]
        return np.array(numbers).reshape(shape)

    def permutation(self, length: int) -> npt.NDArray[np.int_]:
        """Return 0 to ``length`` - 1 in random order: Fisher and Yates, from the end.

        Parameters
        ----------
        length
            How many.
        """
        order = list(range(length))
        for i in range(length - 1, 0, -1):
            j = math.floor(self.random() * (i + 1))
            order[i], order[j] = order[j], order[i]
        return np.array(order)


def lab_run(
    *, seed: int, scale: float, epochs: int
) -> tuple[
    reference.Array, npt.NDArray[np.int_], list[reference.Array], list[npt.NDArray[np.int_]]
]:
    """Return what all four optimizers of the lab begin with.

    Parameters
    ----------
    seed
        Of initial weights and orders.
    scale
        Factor of the initial weights; 1 is the usual start.
    epochs
        How many orders.

    Returns
    -------
    tuple
        Scaled petals [150, 2], labels [150], initial parameters, and an order for each epoch.
    """
    flowers, labels = iris()
    generator = LabGenerator(seed)
    start = reference.initialise((2, 16, 4, 3), generator)  # type: ignore[arg-type]
    orders = [generator.permutation(150) for _ in range(epochs)]
    return scaled(flowers[:, 2:]), labels, [scale * array for array in start], orders
