"""``python -m benchmarks.accuracy.ablation``: what each part of the recipe is worth.

Prints the table of docs/recipe.md: log-loss on the test rows of CHOOSING tables, for one fixed
recipe and for each change of it. Reporting tables are not touched.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

__all__ = ["CHANGES", "RECIPE", "Measured", "ablation_table", "learn_and_test", "main"]

RECIPE: dict[str, Any] = {
    "features.numbers": "piecewise",
    "network.hidden_layers": [128, 128],
    "training.batch_size": 128,
    "training.dropout": 0.15,
    "training.ensemble": "resamples",
    "training.networks": 8,
    "training.patience": 20,
    # The test rows are in another file: nearly all rows of this one are to learn from.
    "training.test_share": 0.01,
    "training.validation_share": 0.125,
    "optimizers.adamw.learning_rate": 0.001,
    "optimizers.adamw.weight_decay": 0.3,
}
"""The recipe for tables of 1,000 to 10,000 rows, which is taken for all here."""

_FASTER = {"optimizers.adamw.learning_rate": 0.003}
_SMALL = {"network.hidden_layers": [64, 64]}
_DISTILLED = {"training.ensemble": "distilled"}

CHANGES: dict[str, dict[str, Any]] = {
    "layers 128-128, 8 networks, batch 128": {},
    "standardised numbers": {"features.numbers": "standardised"},
    "no dropout": {"training.dropout": 0.0},
    "one of the networks": {"training.members": 1},
    "four of the networks": {"training.members": 4},
    'all refitted (`ensemble = "refitted"`)': {"training.ensemble": "refitted"},
    "distilled into 32-32": _DISTILLED | {"network.student_layers": [32, 32]},
    "distilled into 64-64": _DISTILLED | {"network.student_layers": [64, 64]},
    "distilled into 64-64, 2 boosted teachers": _DISTILLED
    | {"network.student_layers": [64, 64], "training.boosted_teachers": 2},
    "distilled into 64-64, 4 boosted teachers": _DISTILLED
    | {"network.student_layers": [64, 64], "training.boosted_teachers": 4},
    "distilled into 128-64": _DISTILLED | {"network.student_layers": [128, 64]},
    "learning rate 0.003": _FASTER,
    "0.003, label smoothing 0.05": _FASTER | {"training.label_smoothing": 0.05},
    "0.003, batch 256": _FASTER | {"training.batch_size": 256},
    "layers 256-128": {"network.hidden_layers": [256, 128]},
    "layers 64-64": _SMALL,
    "0.003, layers 64-64": _FASTER | _SMALL,
    "0.003, 64-64, patience 10": _FASTER | _SMALL | {"training.patience": 10},
    "0.003, 64-64, no dropout": _FASTER | _SMALL | {"training.dropout": 0.0},
    "0.003, 64-64, decay 1.0": _FASTER | _SMALL | {"optimizers.adamw.weight_decay": 1.0},
    "0.003, 64-64-64": _FASTER | {"network.hidden_layers": [64, 64, 64]},
    "0.003, 64-64, 16 networks": _FASTER | _SMALL | {"training.networks": 16},
}
"""By its title, what a change sets; the first is the recipe itself."""

_TABLES = "vehicle,segment,german,phoneme,spambase,orange,email,marketing,caravan"


class Measured(NamedTuple):
    """Log-loss on the test rows in nats per row, CPU seconds of training, and the AUC.

    Of several classes, the mean of each class against the others.
    """

    log_loss: float
    cpu: float
    auc: float = math.nan


def learn_and_test(train: Path, test: Path, settings: Mapping[str, Any]) -> Measured:
    """Train on one file and test on another, with label column ``label``.

    Parameters
    ----------
    train, test
        CSV files.
    settings
        Values by their place in ``pipeline.toml``, such as ``training.dropout``. The columns are
        read as ``ffn init`` says.
    """
    import pandas as pd
    from sklearn.metrics import log_loss, roc_auc_score

    from ffn.pipelines.execution import InProcess
    from ffn.pipelines.retraining import fit, prepare
    from ffn.profiling.scaffold import create_pipeline
    from ffn.scoring.model import Model
    from ffn.settings.document import check_settings
    from ffn.settings.pipeline import Pipeline
    from ffn.training.steps import load

    with TemporaryDirectory(prefix="ffn-ablation-") as folder:
        root = Path(folder)
        toml, _ = create_pipeline("table", source=train, target="label", root=root)
        document: dict[str, Any] = {"data": tomllib.loads(toml.read_text("utf-8"))["data"]}
        for place, value in settings.items():
            *path, key = place.split(".")
            table = document
            for name in path:
                table = table.setdefault(name, {})
            table[key] = value
        checked = check_settings(document, str(toml))
        pipeline = Pipeline(
            name="table", settings=checked, folder=toml.parent, artifacts=root / "artifacts"
        )
        executor = InProcess()
        _, prepared = prepare(pipeline, load(pipeline), executor)
        started = time.process_time()
        fitted = fit(pipeline, prepared, executor)
        cpu = time.process_time() - started
        rows = pd.read_csv(test, dtype=str, keep_default_na=False)
        model = Model(fitted.refitted.bundle)
        probabilities = model.predict_proba(rows.drop(columns="label"))
        labels = rows["label"].to_numpy()
        classes = list(prepared.schema.classes)
        scores = probabilities if len(classes) > 2 else probabilities[:, 1]
        auc = roc_auc_score(labels, scores, multi_class="ovr", labels=classes)
        return Measured(float(log_loss(labels, probabilities, labels=classes)), cpu, float(auc))


def ablation_table(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """Return the Markdown table: a line for each change, a column for each table.

    The mean is the geometric mean of the ratios to the first line.

    Parameters
    ----------
    found
        For each change, the results by table; the first change is what others are compared with.
    """
    base, *_ = found.values()
    lines = [
        f"| change | {' | '.join(base)} | mean | CPU |",
        f"|---|{'--:|' * (len(base) + 2)}",
    ]
    for title, results in found.items():
        ratios = [math.log(results[name].log_loss / base[name].log_loss) for name in base]
        cpu = sum(one.cpu for one in results.values()) / sum(one.cpu for one in base.values())
        figures = " | ".join(f"{results[name].log_loss:.3f}" for name in base)
        mean = math.exp(sum(ratios) / len(ratios))
        lines.append(f"| {title} | {figures} | {mean:.3f} | {cpu:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every change on every table, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.ablation")
    parser.add_argument("--tables", metavar="NAME,…", default=_TABLES, help=f"default: {_TABLES}")
    parser.add_argument(
        "--changes", metavar="TEXT", default="", help="only those with TEXT in their title"
    )
    options = parser.parse_args(arguments)
    from benchmarks.machine import one_thread

    # Read by each library when it is imported.
    os.environ.update(one_thread())
    from benchmarks.accuracy.tables.catalogue import CHOOSING, tables_named
    from benchmarks.accuracy.tables.splitting import write_split

    base, *_ = CHANGES
    chosen = {
        title: change
        for title, change in CHANGES.items()
        if title == base or options.changes in title
    }
    found: dict[str, dict[str, Measured]] = {title: {} for title in chosen}
    with TemporaryDirectory(prefix="ffn-ablation-") as folder:
        for table in tables_named(options.tables.split(","), CHOOSING):
            split = write_split(table, 0, Path(folder) / table.name)
            for title, change in chosen.items():
                measured = learn_and_test(split.train, split.test, RECIPE | change)
                found[title][table.name] = measured
                sys.stderr.write(f"{table.name}, {title}: {measured.log_loss:.4f}\n")
    sys.stdout.write(f"{ablation_table(found)}\n")


if __name__ == "__main__":
    main()
