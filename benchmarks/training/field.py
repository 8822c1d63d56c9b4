"""Who takes part in which work, and how closely each must agree with us."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.training.contestant import Contestant
from benchmarks.training.work import Work

__all__ = ["PEERS", "Entry", "entries", "missing_peers"]

PEERS = {"torch": "PyTorch", "jax": "JAX"}
"""Packages that the product does not need, and their names."""

_HERE = "benchmarks.training"
# After fewer, what is learnt depends on which rows came last.
_STEPS_TO_FORGET_THE_ORDER = 50


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A contestant of a work.

    Attributes
    ----------
    make
        Returns it, ready to run.
    loss, accuracy
        What ``check_agreement`` allows; of accuracy beyond one validation row.
    compiles
        Its time includes compilation, which uses threads.
    """

    make: Callable[[Work], Contestant]
    loss: float = 1e-3
    accuracy: float = 1e-3
    compiles: bool = False


def missing_peers() -> list[str]:
    """Return the packages that are not installed."""
    return [package for package in PEERS if find_spec(package) is None]


def entries(work: Work) -> list[Entry]:
    """Return who takes part besides us; those who are not installed are left out."""
    alone, gone = work.shape.networks == 1, missing_peers()
    found = [Entry(make=_named("contestant", "Products"))] if alone else []
    if "torch" not in gone and work.shape.networks <= 64:
        found.append(Entry(make=_named("pytorch", "Eager" if alone else "Vmap")))
    if "jax" not in gone:
        found.append(Entry(make=_named("jax_scan", "Warm")))
        if work.shape.networks <= 64:
            found.append(Entry(make=_named("jax_scan", "Cold"), compiles=True))
    if alone:
        # Its Adam adds epsilon before the bias correction.
        found.append(Entry(make=_named("scikit_learn", "Evaluated"), loss=0.03, accuracy=0.01))
    if alone and work.network_steps >= _STEPS_TO_FORGET_THE_ORDER:
        # fit shuffles by itself.
        found.append(Entry(make=_named("scikit_learn", "Estimator"), loss=0.1, accuracy=0.02))
    return found


def _named(module: str, name: str) -> Callable[[Work], Contestant]:
    """Import when it is made: who lacks a package can still run the rest."""

    def make(work: Work) -> Contestant:
        contestant: Contestant = getattr(importlib.import_module(f"{_HERE}.{module}"), name)(work)
        return contestant

    return make
