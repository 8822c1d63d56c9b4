"""The figures to reach: each is a line of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.training.contestant import Products

__all__ = ["RETRAIN_SECONDS", "TARGETS", "Target"]

_LIMIT = Products.name
_EAGER, _VMAP_TORCH = "PyTorch eager, fused Adam", "PyTorch func.vmap, fused Adam"
_SCAN, _VMAP_JAX = "JAX jit + scan, warm", "JAX vmap, warm"

RETRAIN_SECONDS = 2.0
"""What Prefect may add to a retraining, its server running."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A peer's time divided by ours is to be at least ``reach``.

    Attributes
    ----------
    work
        Key of the measured work.
    against
        Name of the side.
    reach
        The ratio; for the products alone, the share of our time that they take.
    """

    work: str
    against: str
    reach: float

    @property
    def share_of_limit(self) -> bool:
        """Whether 1 is the best there can be."""
        return self.against == _LIMIT

    def is_reached(self, ratios: npt.NDArray[np.float64]) -> bool:
        """Judge the median."""
        return bool(np.median(ratios) >= self.reach)


TARGETS = tuple(
    Target(work=work, against=against, reach=reach)
    for work, against, reach in [
        ("iris", _EAGER, 10),
        ("iris", "scikit-learn, evaluated each epoch", 9),
        ("iris", _SCAN, 0.3),
        ("cold", "scikit-learn", 8),
        ("cold", "PyTorch", 20),
        ("cold", "JAX", 30),
        ("iris-64", _VMAP_JAX, 2),
        ("iris-64", _VMAP_TORCH, 8),
        ("iris-256", _VMAP_JAX, 2),
        ("digits", _EAGER, 4),
        ("digits", _LIMIT, 0.5),
        ("100k-256", _EAGER, 1.5),
        ("100k-256", _LIMIT, 0.8),
        ("100k-1024", _EAGER, 1.25),
        ("100k-1024", _LIMIT, 0.85),
        ("wide", _EAGER, 1.1),
        ("wide", _LIMIT, 0.92),
    ]
)
