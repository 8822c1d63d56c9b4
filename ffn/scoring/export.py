"""Export a model as a fitted scikit-learn pipeline in a joblib file, for use in notebooks.

The product itself never loads a pickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline as SklearnPipeline

from ffn.bundles.bundle import Bundle
from ffn.errors import DataError
from ffn.estimator.classifier import FFNClassifier
from ffn.extras import require
from ffn.registry.production_bundle import require_production
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import atomic_file
from ffn.tabular.columns.class_labels import class_labels
from ffn.tabular.memory.frames import read_frame
from ffn.tabular.memory.memory_table import has_names
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.preprocessing import Preparation

__all__ = ["RowPreparation", "export_for_notebooks", "export_production"]


class RowPreparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transformer from raw rows to inputs, as learnt in training; ``fit`` does nothing.

    Parameters
    ----------
    schema, preparation
        Schema and preprocessing of the bundle.
    """

    def __init__(self, schema: Schema, preparation: Preparation) -> None:
        self.schema = schema
        self.preparation = preparation

    def fit(self, rows: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Return this transformer unchanged, as it was fitted in training.

        Parameters
        ----------
        rows, y
            Not used.
        """
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, rows: Any) -> npt.NDArray[Any]:
        """Return inputs [n, n_in].

        Parameters
        ----------
        rows
            A table whose columns are found by name, as for `ffn.scoring.model.Model`, or an
            array [n, features] of numbers and texts with the features in the order of training.

        Raises
        ------
        InstallationError
            An array is given, and pandas is not installed.
        DataError
            An array has another number of columns, a column is missing, or a cell is invalid.
        """
        if not has_names(rows):
            require("pandas", "the export for notebooks makes a frame of an array with pandas")
            import pandas as pd

            names = [feature.name for feature in self.schema.features]
            numbers = isinstance(rows, np.ndarray) and rows.dtype.kind in "iuf"
            table = rows if numbers else np.asarray(rows, dtype=object)
            if table.ndim != 2 or table.shape[1] != len(names):
                raise DataError(
                    f"rows have the shape {table.shape}; expected one column for each of "
                    f"{', '.join(names)}."
                )
            rows = pd.DataFrame(table, columns=names)
        return read_frame(rows, self.schema, self.preparation)


def export_for_notebooks(bundle: Bundle, pipeline: Pipeline) -> Path:
    """Write ``best_<pipeline>_model.pkl``, which predicts from raw rows, and return its path.

    Parameters
    ----------
    bundle
        The bundle to export.
    pipeline
        The pipeline, whose settings give the path.
    """
    fitted = SklearnPipeline(
        [
            ("prepare", RowPreparation(bundle.schema, bundle.preparation)),
            (
                "network",
                FFNClassifier.from_network(
                    bundle.network,
                    class_labels(bundle.schema.classes),
                    bundle.rule,
                    optimizer=bundle.optimizer,
                ),
            ),
        ]
    )
    with atomic_file(pipeline.export) as file:
        joblib.dump(fitted, file)
    return pipeline.export


def export_production(pipeline: Pipeline) -> Path:
    """Export the model in production of ``pipeline``, as after every promotion; return the path."""
    return export_for_notebooks(require_production(pipeline.artifacts), pipeline)
