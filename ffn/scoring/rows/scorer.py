"""The interface of a model that scoring requires."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.rule import DecisionRule
from ffn.tabular.encodings.transformer import Transformer
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["Floats", "Scorer", "finite_probabilities"]

Floats = npt.NDArray[np.floating]


class Scorer(Protocol):
    """A model as scoring needs it: a schema, preprocessing, and class probabilities.

    ``ffn.bundles.bundle.Bundle`` implements it.
    """

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        ...

    @property
    def version(self) -> int:
        """Number in the registry; 0 for a model outside it."""
        ...

    @property
    def sha256(self) -> str:
        """Digest that identifies the model."""
        ...

    @property
    def schema(self) -> Schema:
        """Columns, categories and classes of the training table."""
        ...

    @property
    def preparation(self) -> Transformer:
        """Transformer of typed columns to inputs."""
        ...

    @property
    def reference(self) -> Reference | None:
        """Histograms of the training rows; None if unknown."""
        ...

    @property
    def rule(self) -> DecisionRule:
        """How labels follow from the probabilities."""
        ...

    def probabilities(self, x: Floats, /) -> npt.NDArray[np.float64]:
        """Return class probabilities [n, C] of the inputs ``x`` [n, n_in]."""
        ...


def finite_probabilities(
    model: Scorer, x: Floats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return probabilities [n, C], and a mask [n] of the rows where they and ``x`` are finite.

    Parameters
    ----------
    model
        The model.
    x
        Inputs [n, n_in] of any value.
    """
    if np.isfinite(x).all():
        probabilities = model.probabilities(x)
        if np.isfinite(probabilities).all():
            return probabilities, np.ones(len(x), dtype=bool)
    finite = np.atleast_1d(np.isfinite(x).all(axis=1))
    probabilities = np.full((len(x), len(model.schema.classes)), np.nan)
    probabilities[finite] = model.probabilities(x[finite])
    finite &= np.isfinite(probabilities).all(axis=1)
    return probabilities, finite
