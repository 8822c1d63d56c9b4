"""Hashes that put rows or groups into a random order that does not change as a table grows."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["mixed", "seeded_hash", "text_digest", "value_digests"]

Array = npt.NDArray[Any]


def seeded_hash(identifiers: Array, seed: int) -> Array:
    """Return hashes of identifiers, uint64 [N], independent for every seed.

    The hash is a bijection: hashes are equal only where identifiers are.

    Parameters
    ----------
    identifiers
        Identifiers, uint64 [N], that are themselves digests.
    seed
        Seed of the hash, from 0.
    """
    return mixed(identifiers + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def mixed(z: Array) -> Array:
    """Return uint64 [N] whose bits each depend on all bits of ``z``, uint64 [N].

    The finaliser of SplitMix64: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom
    Number Generators", figure 6 (variant 13 of Stafford's mixers).
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Array = z ^ (z >> np.uint64(31))
    return found


def text_digest(text: str) -> int:
    """Return the first 64 bits of the BLAKE2b digest of ``text``, by which a group is known."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def value_digests(values: Iterable[object]) -> Array:
    """Return an identifier of each of N ``values`` of a column, uint64 [N], equal for equal values.

    Values are compared as ``str`` writes them. An array of identifiers is what the group of a row
    is given by everywhere in this package, so any column can keep rows together.
    """
    known: dict[object, int] = {}
    for value in (values := list(values)):
        if value not in known:
            known[value] = text_digest(str(value))
    return np.array([known[value] for value in values], dtype=np.uint64)
