"""Boosted trees, of LightGBM, CatBoost and scikit-learn: each takes NaN and categories itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.accuracy.sides.rows import Rows

__all__ = ["catboost", "hist_gradient_boosting", "lightgbm"]

Array = npt.NDArray[Any]

_MOST_CATEGORIES = 255


def lightgbm(rows: Rows) -> Array:
    """Return probabilities [n_test, C]."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=rows.seed, n_jobs=1, verbose=-1)
    model.fit(rows.train, rows.labels)
    return np.asarray(model.predict_proba(rows.test))


def catboost(rows: Rows) -> Array:
    """Return probabilities [n_test, C]. A missing category is one of its own, the empty text."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        random_seed=rows.seed,
        thread_count=1,
        cat_features=rows.categorical,
        verbose=False,
        allow_writing_files=False,
    )
    train, test = (_as_texts(frame, rows.categorical) for frame in (rows.train, rows.test))
    model.fit(train, rows.labels)
    return np.asarray(model.predict_proba(test))


def hist_gradient_boosting(rows: Rows) -> Array:
    """Return probabilities [n_test, C].

    It takes at most 255 categories a column: of more, those most frequent in training are kept
    and the others are missing.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, test = rows.train.copy(), rows.test.copy()
    for name in rows.categorical:
        counts = train[name].value_counts()
        if len(counts) > _MOST_CATEGORIES:
            kept = counts.index[:_MOST_CATEGORIES].tolist()
            train[name] = train[name].cat.set_categories(kept)
            test[name] = test[name].cat.set_categories(kept)
    model = HistGradientBoostingClassifier(random_state=rows.seed)
    model.fit(train, rows.labels)
    return np.asarray(model.predict_proba(test))


def _as_texts(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    texts = {name: frame[name].astype(object).where(frame[name].notna(), "") for name in columns}
    return frame.assign(**texts)
