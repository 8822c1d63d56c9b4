"""Whether a worker computes what this process would: code, packages and processor, compared."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ffn.errors import quote
from ffn.registry.provenance import circumstances

__all__ = ["own_likeness", "unlikeness"]

# What the bytes of a model depend on. The name of the processor is not among them: NumPy's products
# depend on the kernel that BLAS chose for it.
_COMPARED = (
    ("packages.ffn", "ffn-pipeline"),
    ("python", "Python"),
    ("packages.numpy", "NumPy"),
    ("packages.scipy", "SciPy"),
    ("packages.scikit-learn", "scikit-learn"),
    ("packages.safetensors", "safetensors"),
    ("code_sha256", "the code of ffn"),
    ("machine", "machine"),
    ("blas", "BLAS"),
)
_REMEDIES = {
    "code_sha256": "Install the same release, or the same commit, on both",
    "machine": "Take workers of the same kind of machine",
    "blas": "Take workers of the same kind of processor, or set OPENBLAS_CORETYPE on both",
}
_LONGEST = 60


def own_likeness() -> dict[str, str]:
    """Return what this process is compared by: versions, digest of the code, machine, BLAS."""
    return dict(_found())


@functools.cache
def _found() -> Mapping[str, str]:
    # Looked up once, for each task asks: what a process has loaded stays what it is.
    found = circumstances()
    flat = {**found, **{f"packages.{name}": own for name, own in found["packages"].items()}}
    return MappingProxyType({key: str(flat.get(key, "")) for key, _ in _COMPARED})


def unlikeness(here: Mapping[str, str], there: Mapping[str, Any], worker: str) -> str | None:
    """Return a sentence with the first difference of a worker and what to do; None if alike.

    Parameters
    ----------
    here
        What `own_likeness` returned in this process.
    there
        What it returned in the worker.
    worker
        What the sentence calls the worker.
    """
    for key, name in _COMPARED:
        own, other = here.get(key, ""), str(there.get(key, ""))
        if own != other:
            remedy = _REMEDIES.get(key, "Install the same version on both")
            return (
                f"{worker} has {name} {quote(_shown(key, other), _LONGEST)} and this process "
                f"{quote(_shown(key, own), _LONGEST)}, so it might compute other bytes. {remedy}."
            )
    return None


def _shown(key: str, value: str) -> str:
    if not value:
        return "unknown"
    return value[:12] if key == "code_sha256" else value
