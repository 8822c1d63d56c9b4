"""scikit-learn's network and its logistic regression, on standardised numbers and one-hot texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.sides.rows import Rows, with_indicators

__all__ = ["logistic_regression", "mlp"]

Array = npt.NDArray[Any]

_ITERATIONS = 1000


def mlp(rows: Rows) -> Array:
    """Return probabilities [n_test, C]."""
    from sklearn.neural_network import MLPClassifier

    return _fitted(MLPClassifier(random_state=rows.seed), rows)


def logistic_regression(rows: Rows) -> Array:
    """Return probabilities [n_test, C]. The default of 100 iterations often ends too early."""
    from sklearn.linear_model import LogisticRegression

    return _fitted(LogisticRegression(max_iter=_ITERATIONS), rows)


def _fitted(model: Any, rows: Rows) -> Array:
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    train, test = with_indicators(rows)
    numeric = [name for name in train.columns if name not in rows.categorical]
    inputs = make_column_transformer(
        (StandardScaler(), numeric),
        (OneHotEncoder(handle_unknown="ignore"), rows.categorical),
        sparse_threshold=0,
    )
    pipeline = make_pipeline(inputs, model)
    pipeline.fit(train, rows.labels)
    return np.asarray(pipeline.predict_proba(test))
