"""A feed-forward network in NumPy, and what it takes to retrain, choose and score with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ffn.version import __version__

if TYPE_CHECKING:
    from ffn.estimator.classifier import FFNClassifier
    from ffn.scoring.model import Model, load

__all__ = ["FFNClassifier", "Model", "__version__", "load"]

_HOME = {
    "FFNClassifier": "ffn.estimator.classifier",
    "Model": "ffn.scoring.model",
    "load": "ffn.scoring.model",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: ``import ffn.nn`` then loads NumPy alone."""
    if name not in _HOME:
        raise AttributeError(f"module 'ffn' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
