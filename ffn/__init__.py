"""A feed-forward network in NumPy, and what it takes to retrain, choose and score with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ffn.version import __version__

if TYPE_CHECKING:
    from ffn.backtesting.backtest_run import backtest
    from ffn.errors import FFNError, UnknownCategoryWarning
    from ffn.estimator.classifier import FFNClassifier
    from ffn.monitoring.evaluate_outcome import LabelsRefusedError
    from ffn.pipelines.api import evaluate, retrain, score
    from ffn.pipelines.outcomes import FilesRefusedError
    from ffn.scoring.model import Model, load

__all__ = [
    "FFNClassifier",
    "FFNError",
    "FilesRefusedError",
    "LabelsRefusedError",
    "Model",
    "UnknownCategoryWarning",
    "__version__",
    "backtest",
    "evaluate",
    "load",
    "retrain",
    "score",
]

_HOME = {
    "FFNClassifier": "ffn.estimator.classifier",
    "FFNError": "ffn.errors",
    "FilesRefusedError": "ffn.pipelines.outcomes",
    "LabelsRefusedError": "ffn.monitoring.evaluate_outcome",
    "Model": "ffn.scoring.model",
    "UnknownCategoryWarning": "ffn.errors",
    "backtest": "ffn.backtesting.backtest_run",
    "evaluate": "ffn.pipelines.api",
    "load": "ffn.scoring.model",
    "retrain": "ffn.pipelines.api",
    "score": "ffn.pipelines.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: ``import ffn.nn`` then loads NumPy alone."""
    if name not in _HOME:
        raise AttributeError(f"module 'ffn' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return also the names that are not imported yet, so that a notebook completes them."""
    return sorted({*globals(), *__all__})
