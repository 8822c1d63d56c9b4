"""The interface of a model that scoring requires."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["Floats", "Scorer", "Transformer"]

Floats = npt.NDArray[np.floating]


class Transformer(Protocol):
    """Typed columns to a network's inputs."""

    def transform(
        self, numeric: npt.NDArray[np.float64], codes: npt.NDArray[np.int64], /
    ) -> Floats:
        """Return inputs [n, n_in] of numbers [n, F] (NaN = missing) and category codes [n, G]."""
        ...


class Scorer(Protocol):
    """A model: a schema, preprocessing, and class probabilities.

    ``ffn.bundles.bundle.Bundle`` is one.
    """

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        ...

    @property
    def version(self) -> int:
        """Number in the registry; 0 outside it."""
        ...

    @property
    def sha256(self) -> str:
        """Digest that names the model."""
        ...

    @property
    def schema(self) -> Schema:
        """The contract of its inputs."""
        ...

    @property
    def preparation(self) -> Transformer:
        """Typed columns to inputs."""
        ...

    @property
    def reference(self) -> Reference | None:
        """What its training rows were like; None if not known."""
        ...

    def probabilities(self, x: Floats, /) -> npt.NDArray[np.float64]:
        """Return class probabilities [n, C] of inputs [n, n_in]."""
        ...
