"""An optimizer at work on a stack: gradients, what earlier steps left, and the step itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn.hyperparameters import check_count, column
from ffn.nn.network import Network
from ffn.nn.optimizers.adam import AdamW
from ffn.nn.optimizers.interface import Arrays, Optimizer

__all__ = ["Memory", "OptimizerState"]

Array = npt.NDArray[Any]


class Memory(NamedTuple):
    """What earlier steps left for later ones.

    Attributes
    ----------
    steps
        How many were taken.
    arrays
        The optimizer's running means, or velocity, [K, P] each.
    """

    steps: int
    arrays: tuple[Array, ...]


class OptimizerState:
    """Moves the parameters of a stack by an optimizer's steps.

    Parameters
    ----------
    optimizer
        The rule and its hyper-parameters, each for all networks or, as a tuple, one for each.
    network
        Stack of K networks, whose parameters ``step`` changes in place.
    frozen_layers
        Positions, from 0, of layers that stay as they are: their weights do not decay, and
        ``train`` leaves their gradients zero. Default: none.
    memory
        That of another state of the same optimizer, for a stack of the same shape, to go on where
        it stopped; it is copied. None, the default, before the first step.

    Attributes
    ----------
    gradients
        Array [K, P], to be filled before each step.

    Raises
    ------
    ValueError
        A hyper-parameter has a tuple of values, but not K of them.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        network: Network,
        frozen_layers: Collection[int] = (),
        memory: Memory | None = None,
    ) -> None:
        parameters = network.parameters
        for name, values in optimizer.by_network.items():
            check_count(name, values, len(parameters))
        self.optimizer, self.network = optimizer, network
        self.frozen_layers = frozenset(frozen_layers)
        self.gradients = np.zeros_like(parameters)
        if memory is None:
            memory = Memory(0, (np.zeros_like(parameters),) * optimizer.memory_arrays)
        self._steps = memory.steps
        self._arrays = Arrays(
            p=parameters,
            g=self.gradients,
            memory=tuple(array.copy() for array in memory.arrays),
            decays=self._decaying_parameters(),
            scratch=np.empty_like(parameters),
        )
        self._learning_rate = column(optimizer.learning_rate)
        # Arrays [], because NumPy takes as long to make one of a Python number as to multiply a
        # small network's parameters by it. Where networks differ, arrays [K, 1].
        self._coefficients = [
            np.empty(np.shape(number), parameters.dtype)
            for number in optimizer.coefficients(self._learning_rate, 1)
        ]

    @property
    def memory(self) -> Memory:
        """What the steps so far left. The next step changes its arrays."""
        return Memory(self._steps, self._arrays.memory)

    def select(self, networks: Sequence[int]) -> OptimizerState:
        """Return a state for copies of the networks at these positions, which goes on from here."""
        chosen = list(networks)
        arrays = tuple(array[chosen] for array in self._arrays.memory)
        return OptimizerState(
            self.optimizer.select(chosen),
            self.network.select(chosen),
            self.frozen_layers,
            Memory(self._steps, arrays),
        )

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters against their gradients.

        Parameters
        ----------
        factor
            The schedule's factor of the learning rate for this step. Default 1: no schedule.
        """
        self._steps += 1
        numbers = self.optimizer.coefficients(self._learning_rate * factor, self._steps)
        for coefficient, number in zip(self._coefficients, numbers, strict=True):
            coefficient[...] = number
        self.optimizer.update(self._arrays, self._coefficients)

    def _decaying_parameters(self) -> Array:
        """Return [P]: 1 for each parameter that weight decay applies to, else 0."""
        biases = isinstance(self.optimizer, AdamW) and self.optimizer.decay_biases
        layers = [i for i in range(len(self.network.layers)) if i not in self.frozen_layers]
        mask = self.network.parameter_mask(layers, biases=biases)
        return mask.astype(self.gradients.dtype)
