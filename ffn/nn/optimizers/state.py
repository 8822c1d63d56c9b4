"""An optimizer at work on a stack: gradients, what earlier steps left, and the step itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn.network import Network
from ffn.nn.optimizers.adam import AdamW
from ffn.nn.optimizers.interface import Block, Optimizer

__all__ = ["Memory", "OptimizerState"]

Array = npt.NDArray[Any]

# Parameters updated at once: five float32 arrays of so many fit an L2 cache of 1 MB.
_BLOCK = 32768


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
        The rule and its hyper-parameters.
    network
        Stack of K networks, whose parameters ``step`` changes in place.
    frozen_layers
        Positions, from 0, of layers that stay as they are: their weights do not decay, and
        ``train`` leaves their gradients zero. Default: none.
    memory
        Of a state of the same optimizer and shape, to go on where that one stopped; it is
        copied. Default: no step was taken.

    Attributes
    ----------
    gradients
        Array [K, P], to be filled before each step.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        network: Network,
        frozen_layers: Collection[int] = (),
        memory: Memory | None = None,
    ) -> None:
        self.optimizer, self.network = optimizer, network
        self.frozen_layers = frozenset(frozen_layers)
        self.gradients = np.zeros_like(network.parameters)
        if memory is None:
            nothing = (np.zeros_like(self.gradients) for _ in range(optimizer.memory_arrays))
            memory = Memory(0, tuple(nothing))
        self._steps = memory.steps
        self._arrays = tuple(array.copy() for array in memory.arrays)
        self._blocks = list(self._cut_into_blocks())
        # Arrays [], because NumPy takes as long to make one of a Python number as to multiply a
        # small network's parameters by it.
        n = len(optimizer.coefficients(optimizer.learning_rate, 1))
        self._coefficients = [np.empty((), self.gradients.dtype) for _ in range(n)]

    @property
    def memory(self) -> Memory:
        """What the steps so far left. Its arrays change with the next one."""
        return Memory(self._steps, self._arrays)

    def step(self, factor: float = 1.0) -> None:
        """Move the parameters against their gradients, at the learning rate times ``factor``."""
        self._steps += 1
        lr = self.optimizer.learning_rate * factor
        values = self.optimizer.coefficients(lr, self._steps)
        for coefficient, value in zip(self._coefficients, values, strict=True):
            coefficient[...] = value
        for block in self._blocks:
            self.optimizer.update(block, self._coefficients)

    def _cut_into_blocks(self) -> Iterator[Block]:
        """Yield whole networks, as many as fit a block, or else parts of each network."""
        k, n = self.gradients.shape
        decays = self._decaying_parameters()
        networks = max(1, _BLOCK // n)
        columns = math.ceil(n / math.ceil(n / _BLOCK))
        # All blocks have the same scratch, which therefore never leaves the cache.
        scratch = np.empty((min(k, networks), columns), self.gradients.dtype)
        for i, j in product(range(0, k, networks), range(0, n, columns)):
            part = np.s_[i : i + networks, j : j + columns]
            p = self.network.parameters[part]
            yield Block(
                p=p,
                g=self.gradients[part],
                memory=tuple(array[part] for array in self._arrays),
                decays=decays[part[1]],
                scratch=scratch[: p.shape[0], : p.shape[1]],
            )

    def _decaying_parameters(self) -> Array:
        """Return [P]: 1 for each parameter that weight decay applies to, else 0."""
        biases = isinstance(self.optimizer, AdamW) and self.optimizer.decay_biases
        layers = [i for i in range(len(self.network.layers)) if i not in self.frozen_layers]
        mask = self.network.parameter_mask(layers, biases=biases)
        return mask.astype(self.gradients.dtype)
