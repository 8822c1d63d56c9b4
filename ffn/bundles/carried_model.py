"""A model as it is sent to another process: what scoring needs, without the training rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle, bundle_parts, parse_parts
from ffn.decision_rules.rule import DecisionRule
from ffn.errors import BundleError, quote
from ffn.nn import Network
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.version import __version__

__all__ = ["CarriedModel", "unpack_model"]

Array = npt.NDArray[Any]


class CarriedModel:
    """A bundle without the fingerprints of its training rows, made to be pickled.

    Its pickle holds texts and bytes alone, JSON and safetensors as in a bundle, and the name of
    `unpack_model`, which checks them like those of a bundle. Unpickling it needs no file.

    Parameters
    ----------
    bundle
        The model.
    """

    def __init__(self, bundle: Bundle) -> None:
        # Scoring does not ask for them, and they are nearly all of a bundle's bytes.
        self._bundle = replace(bundle, fingerprints=np.zeros(0, dtype=np.uint64))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles the model: a function, and texts, bytes and a number for it."""
        parts = bundle_parts(self._bundle)
        return unpack_model, (__version__, parts, self.version, self.sha256)

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return self._bundle.pipeline

    @property
    def version(self) -> int:
        """Number in the registry; 0 for a bundle outside it."""
        return self._bundle.version

    @property
    def sha256(self) -> str:
        """Digest of the manifest of the bundle that the model was loaded from."""
        return self._bundle.sha256

    @property
    def schema(self) -> Schema:
        """Schema of the training table."""
        return self._bundle.schema

    @property
    def preparation(self) -> Preparation:
        """Preprocessing from typed columns to inputs."""
        return self._bundle.preparation

    @property
    def reference(self) -> Reference | None:
        """Histograms of the training rows; None if not recorded."""
        return self._bundle.reference

    @property
    def rule(self) -> DecisionRule:
        """How labels follow from the probabilities."""
        return self._bundle.rule

    @property
    def network(self) -> Network:
        """The networks, whose probabilities are averaged."""
        return self._bundle.network

    def probabilities(self, x: Array) -> Array:
        """Return class probabilities [n, C] of the inputs ``x`` [n, n_in], as the bundle does."""
        return self._bundle.probabilities(x)


def unpack_model(package: str, parts: dict[str, bytes], version: int, sha256: str) -> CarriedModel:
    """Return the model that another process sent.

    Parameters
    ----------
    package
        Version of this package in the process that sent it.
    parts
        Content of the files of a bundle, as from `bundle_parts`.
    version
        Number in the registry; 0 for a model outside one.
    sha256
        Digest of the bundle that the model was loaded from.

    Raises
    ------
    BundleError
        The package has another version here, or the parts are damaged.
    """
    if package != __version__:
        raise BundleError(
            f"the model was sent by ffn {quote(package)}, but this process has ffn "
            f"{quote(__version__)}. Install one version on all machines, and load the model anew."
        )
    return CarriedModel(parse_parts(parts, "the model sent", version=version, sha256=sha256))
