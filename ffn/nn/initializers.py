"""Initial weights after He et al., and one random generator for each network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["he_normal", "spawn_generators"]


def spawn_generators(seed: int | np.random.SeedSequence, k: int) -> list[np.random.Generator]:
    """Return ``k`` independent generators, one for each network.

    Generator i is the same for every k above i. What a network learns therefore depends neither
    on how many others are trained with it nor on their order.

    Parameters
    ----------
    seed
        The same seed gives the same generators, also if a SeedSequence has spawned before.
    k
        How many.
    """
    # A SeedSequence remembers how often it spawned; only a fresh one makes this repeatable.
    entropy = seed.entropy if isinstance(seed, np.random.SeedSequence) else seed
    key = seed.spawn_key if isinstance(seed, np.random.SeedSequence) else ()
    children = np.random.SeedSequence(entropy, spawn_key=key).spawn(k)
    return [np.random.default_rng(child) for child in children]


def he_normal(n_in: int, n_out: int, generator: np.random.Generator) -> npt.NDArray[Any]:
    """Return weights [n_in, n_out] drawn from N(0, 2 / n_in), float64.

    ReLU cuts half of the activations to zero. This variance keeps their second moment constant
    from layer to layer all the same: He et al. 2015, "Delving Deep into Rectifiers", equation 10
    (the forward variant, "fan in").

    Parameters
    ----------
    n_in, n_out
        Inputs and units of the layer.
    generator
        Source of the draws, [n_in, n_out] in that order.
    """
    return generator.standard_normal((n_in, n_out)) * math.sqrt(2.0 / n_in)
