"""RealMLP-TD and TabM-D as pytabkit has them, on one thread of the processor.

Neither takes a missing number: it gets the mean and a column that says where.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.sides.rows import Rows, with_indicators

__all__ = ["realmlp", "tabm"]

Array = npt.NDArray[Any]


def realmlp(rows: Rows) -> Array:
    """Return probabilities [n_test, C]."""
    from pytabkit import RealMLP_TD_Classifier

    return _fitted(RealMLP_TD_Classifier, rows)


def tabm(rows: Rows) -> Array:
    """Return probabilities [n_test, C]."""
    from pytabkit import TabM_D_Classifier

    return _fitted(TabM_D_Classifier, rows)


def _fitted(kind: Any, rows: Rows) -> Array:
    import torch

    torch.set_num_threads(1)
    train, test = with_indicators(rows)
    model = kind(device="cpu", random_state=rows.seed, n_threads=1)
    model.fit(train, rows.labels, cat_col_names=rows.categorical)
    return np.asarray(model.predict_proba(test))
