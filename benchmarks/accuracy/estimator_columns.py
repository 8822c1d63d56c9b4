"""``python -m benchmarks.accuracy.estimator_columns``: a pipeline and `FFNClassifier` on columns.

The same rows and settings, on the two tables of `benchmarks.accuracy.dated_columns`, which have
dates, categories and gaps: once by a pipeline that reads a CSV file, and once by
``FFNClassifier(kinds="auto")`` that is given the DataFrame. Repeated rows are left out, as a
pipeline takes them one by one and the estimator as one row of their weight. The two draw initial
weights and batches differently, as two seeds do, whose difference stands beside theirs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.accuracy.ablation import learn_and_test
from benchmarks.accuracy.dated_columns import dated_tables

__all__ = ["columns_table", "main"]

_SPLITS, _TRAIN_ROWS, _TEST_ROWS = 6, 3_000, 4_000
# The least that a pipeline holds out of the rows to learn from.
_HELD_OUT = 0.01
_LABEL = "label"
_PIPELINE: dict[str, Any] = {
    "features.numbers": "piecewise",
    "features.most_categories": 50,
    "network.hidden_layers": [64, 64],
    "training.batch_size": 128,
    "training.dropout": 0.15,
    "training.epochs": 20,
    "training.networks": 8,
    # All networks, trained on all rows: what the estimator does.
    "training.ensemble": "refitted",
    "training.schedule": "cosine",
    "training.test_share": _HELD_OUT,
    "optimizers.adamw.learning_rate": 0.003,
    "optimizers.adamw.weight_decay": 0.3,
}
_ESTIMATOR: dict[str, Any] = {
    "kinds": "auto",
    "numbers": "piecewise",
    "most_categories": 50,
    "hidden_layer_sizes": (64, 64),
    "batch_size": 128,
    "dropout": 0.15,
    "epochs": 20,
    "schedule": "cosine",
    "n_networks": 8,
    "learning_rate": 0.003,
    "weight_decay": 0.3,
}


def columns_table(found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the Markdown table: a line for each table, with mean log-losses on the test rows.

    Parameters
    ----------
    found
        For each table, the log-losses by split of ``pipeline``, ``estimator``, and ``another
        seed`` of the estimator.
    """
    import numpy as np

    lines = [
        "| table | pipeline | estimator | difference | of two seeds |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, own in found.items():
        losses = {way: np.array(values) for way, values in own.items()}
        change, seeds = (
            losses["estimator"] - losses["pipeline"],
            losses["another seed"] - losses["estimator"],
        )
        cells = [f"{losses[way].mean():.4f}" for way in ("pipeline", "estimator")]
        cells += [f"{gains.mean():+.4f} ± {_error(gains):.4f}" for gains in (change, seeds)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _error(gains: Any) -> float:
    """Return the standard error of the mean of paired differences."""
    return float(gains.std(ddof=1) / len(gains) ** 0.5)


def main() -> None:
    """Measure both ways on every split of both tables, and print."""
    from benchmarks.machine import one_thread

    # Read by each library when it is imported.
    os.environ.update(one_thread())
    from sklearn.metrics import log_loss

    from ffn import FFNClassifier

    found: dict[str, dict[str, list[float]]] = {}
    for name, rows in dated_tables():
        rows = rows.drop_duplicates()
        for split in range(_SPLITS):
            own = rows.sample(min(_TRAIN_ROWS + _TEST_ROWS, len(rows)), random_state=split)
            learnt, tested = own[:_TRAIN_ROWS], own[_TRAIN_ROWS:]
            with TemporaryDirectory(prefix="ffn-columns-") as folder:
                train, test = (Path(folder) / file for file in ("train.csv", "test.csv"))
                learnt.to_csv(train, index=False)
                tested.to_csv(test, index=False)
                losses = {"pipeline": learn_and_test(train, test, _PIPELINE).log_loss}
            # As many as a pipeline has left.
            learnt = learnt.sample(frac=1 - _HELD_OUT, random_state=split)
            for seed, way in enumerate(("estimator", "another seed")):
                model = FFNClassifier(random_state=seed, **_ESTIMATOR)
                model.fit(learnt.drop(columns=_LABEL), learnt[_LABEL])
                probabilities = model.predict_proba(tested.drop(columns=_LABEL))
                losses[way] = log_loss(tested[_LABEL], probabilities, labels=model.classes_)
            for way, loss in losses.items():
                found.setdefault(name, {}).setdefault(way, []).append(float(loss))
            sys.stderr.write(f"{name}, {split}: {losses}\n")
    sys.stdout.write(f"{columns_table(found)}\n")


if __name__ == "__main__":
    main()
