"""Where networks start: He initialisation, and one source of randomness per network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["he_normal", "spawn_generators"]


def spawn_generators(seed: int | np.random.SeedSequence, k: int) -> list[np.random.Generator]:
    """Return ``k`` independent generators, one a network.

    Generator ``i`` is the same for every ``k > i``, so a network's course depends neither on
    how many others are trained beside it nor on what order they run in.
    """
    # A SeedSequence remembers how often it spawned; only a fresh one makes this repeatable.
    entropy = seed.entropy if isinstance(seed, np.random.SeedSequence) else seed
    key = seed.spawn_key if isinstance(seed, np.random.SeedSequence) else ()
    children = np.random.SeedSequence(entropy, spawn_key=key).spawn(k)
    return [np.random.default_rng(child) for child in children]


def he_normal(n_in: int, n_out: int, generator: np.random.Generator) -> npt.NDArray[Any]:
    """Return weights [n_in, n_out] drawn from N(0, 2 / n_in), float64.

    The variance keeps the second moment of activations constant from layer to layer when
    half of them are cut to zero by ReLU: He et al. 2015, "Delving Deep into Rectifiers",
    equation 10 (the forward variant, "fan in").
    """
    return generator.standard_normal((n_in, n_out)) * math.sqrt(2.0 / n_in)
