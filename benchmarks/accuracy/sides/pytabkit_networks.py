"""RealMLP-TD and TabM-D as pytabkit has them, on one thread of the processor.

Neither takes a missing number: it gets the mean and a column that says where.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.sides.rows import Rows, with_indicators

__all__ = ["realmlp", "realmlp_for_log_loss", "tabm", "tabm_for_log_loss"]

Array = npt.NDArray[Any]


def realmlp(rows: Rows) -> Array:
    """Return probabilities [n_test, C]. By default its epoch is chosen by accuracy."""
    return _fitted("RealMLP_TD_Classifier", rows)


def realmlp_for_log_loss(rows: Rows) -> Array:
    """Return probabilities [n_test, C], set as its documentation recommends for cross-entropy."""
    return _fitted("RealMLP_TD_Classifier", rows, val_metric_name="cross_entropy", use_ls=False)


def tabm(rows: Rows) -> Array:
    """Return probabilities [n_test, C]. By default its epoch is chosen by accuracy."""
    return _fitted("TabM_D_Classifier", rows)


def tabm_for_log_loss(rows: Rows) -> Array:
    """Return probabilities [n_test, C], the epoch chosen by cross-entropy."""
    return _fitted("TabM_D_Classifier", rows, val_metric_name="cross_entropy")


def _fitted(kind: str, rows: Rows, **settings: Any) -> Array:
    import pytabkit
    import torch

    torch.set_num_threads(1)
    train, test = with_indicators(rows)
    model = getattr(pytabkit, kind)(device="cpu", random_state=rows.seed, n_threads=1, **settings)
    model.fit(train, rows.labels, cat_col_names=rows.categorical)
    return np.asarray(model.predict_proba(test))
