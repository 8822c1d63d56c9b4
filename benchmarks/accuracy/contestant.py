"""``python -m benchmarks.accuracy.contestant SIDE TRAIN TEST SEED OUTPUT``: one side, one table."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.peers import OURS
from benchmarks.accuracy.sides import pytabkit_networks, scikit_learn_pipelines, trees
from benchmarks.accuracy.sides.ours import ours
from benchmarks.accuracy.sides.rows import Rows, read_rows

__all__ = ["PROGRAMS", "main"]

PROGRAMS: dict[str, Callable[[Rows], Any]] = {
    "lightgbm": trees.lightgbm,
    "hist_gradient_boosting": trees.hist_gradient_boosting,
    "catboost": trees.catboost,
    "mlp": scikit_learn_pipelines.mlp,
    "logistic_regression": scikit_learn_pipelines.logistic_regression,
    "realmlp": pytabkit_networks.realmlp,
    "realmlp_for_log_loss": pytabkit_networks.realmlp_for_log_loss,
    "tabm": pytabkit_networks.tabm,
    "tabm_for_log_loss": pytabkit_networks.tabm_for_log_loss,
}


def main(arguments: Sequence[str]) -> None:
    """Write probabilities [n_test, C] as .npy, and print classes and rejected rows as JSON."""
    side, train, test, seed, output = arguments
    rejected = 0
    if side == OURS:
        classes, probabilities, rejected = ours(Path(train), Path(test))
    else:
        rows = read_rows(Path(train), Path(test), int(seed))
        classes = rows.classes
        # At default settings most libraries warn of one thing or another.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            probabilities = PROGRAMS[side](rows)
    np.save(output, probabilities)
    print(json.dumps({"classes": classes, "rejected": rejected}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
