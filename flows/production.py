"""The model that scores."""

from __future__ import annotations

from ffn.models.pipeline import Pipeline
from ffn.models.registry import production_version, version_folder
from ffn.scoring.model import Model, load

__all__ = ["load_production"]


def load_production(pipeline: Pipeline) -> Model:
    """Load the version in production.

    Raises
    ------
    RegistryError
        There is none.
    BundleError
        It is damaged or too new.
    """
    version = production_version(pipeline.artifacts)
    return load(version_folder(pipeline.artifacts, version))
