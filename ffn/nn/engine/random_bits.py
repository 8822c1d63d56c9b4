"""Random bits for each network of a stack, from a stream of its own, drawn many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["RandomBits"]

Array = npt.NDArray[Any]


class RandomBits:
    """K streams of random numbers of 16 bits, each from its own generator.

    The numbers of a stream depend on its generator alone, not on the other streams, nor on how
    many are taken at once.

    Parameters
    ----------
    generators
        One for each network. None for a network that needs no randomness and gets zeros.
    drawn_bytes
        Size of the numbers that are drawn at once, for as many batches of a small network as they
        cover. By default 512 KiB: a call of a generator takes as long as a few thousand bytes. The
        streams do not depend on it.
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator | None],
        *,
        drawn_bytes: int = 512 * 1024,
    ) -> None:
        self.generators = generators
        self._drawn_bytes = drawn_bytes
        self._drawn = np.empty((len(generators), 0), np.uint16)
        self._taken = 0

    def take(self, n: int) -> Array:
        """Return the next n numbers of each stream, uniform below 2^16: [K, n], uint16."""
        if self._taken + n > self._drawn.shape[1]:
            rest = self._drawn[:, self._taken :]
            at_once = max(n, self._drawn_bytes // (2 * len(self.generators)))
            # A whole number of the 64 bits that a generator gives, or a few would be lost.
            self._drawn = np.concatenate([rest, self._draw(-(-at_once // 4))], axis=1)
            self._taken = 0
        start, self._taken = self._taken, self._taken + n
        return self._drawn[:, start : self._taken]

    def select(self, networks: Sequence[int]) -> RandomBits:
        """Return the streams of the networks at these positions, which go on where they are."""
        own = [self.generators[k] for k in networks]
        chosen = RandomBits(own, drawn_bytes=self._drawn_bytes)
        chosen._drawn, chosen._taken = self._drawn[list(networks)], self._taken
        return chosen

    def _draw(self, words: int) -> Array:
        """Return 4 * ``words`` new numbers of each stream, [K, 4 * words]."""
        drawn = np.zeros((len(self.generators), words), np.uint64)
        for own, generator in zip(drawn, self.generators, strict=True):
            if generator is not None:
                own[:] = generator.integers(2**64, size=words, dtype=np.uint64)
        return drawn.view(np.uint16)
