"""``python -m benchmarks.accuracy.searching``: what a search gains over what ``ffn init`` writes.

Prints the table of docs/how-to/search.md: log-loss on the test rows of CHOOSING tables and CPU
seconds, for the settings that ``ffn init`` writes and for the same with a search. Reporting tables
are not touched.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["SEARCH", "Learnt", "learn", "main", "search_table"]

Array = npt.NDArray[Any]

SEARCH: dict[str, Any] = {
    "layers": [[32], [64, 64], [128, 128]],
    "dropout": [0.0, 0.15, 0.3],
}
"""The search, as it is in the documentation."""

_TABLES = "vehicle,german,orange,segment,email,phoneme,spambase"


class Learnt(NamedTuple):
    """Losses of the test rows in nats [n], CPU seconds of training, who won and what was dropped.

    Of a retraining without a search, the winner is its optimizer.
    """

    losses: Array
    cpu: float
    winner: str
    dropped: int


def learn(train: Path, test: Path, search: Mapping[str, Any] | None) -> Learnt:
    """Train on one file and test on another, with label column ``label``.

    Parameters
    ----------
    train, test
        CSV files.
    search
        Keys of ``[search]``; None for the settings of ``ffn init`` alone. But for the share that
        is held out, which here is in another file, all others are those.
    """
    import pandas as pd

    from ffn.pipelines.execution import InProcess
    from ffn.pipelines.retraining import fit, prepare
    from ffn.profiling.scaffold import create_pipeline
    from ffn.scoring.model import Model
    from ffn.settings.document import check_settings
    from ffn.settings.pipeline import Pipeline
    from ffn.training.steps import load

    with TemporaryDirectory(prefix="ffn-searching-") as folder:
        root = Path(folder)
        toml, _ = create_pipeline("table", source=train, target="label", root=root)
        document: dict[str, Any] = tomllib.loads(toml.read_text("utf-8"))
        document["training"]["test_share"] = 0.01
        if search is not None:
            document["search"] = dict(search)
        pipeline = Pipeline(
            name="table",
            settings=check_settings(document, str(toml)),
            folder=toml.parent,
            artifacts=root / "artifacts",
        )
        executor = InProcess()
        _, prepared = prepare(pipeline, load(pipeline), executor)
        started = time.process_time()
        fitted = fit(pipeline, prepared, executor)
        cpu = time.process_time() - started
        rows = pd.read_csv(test, dtype=str, keep_default_na=False)
        probabilities = Model(fitted.refitted.bundle).predict_proba(rows.drop(columns="label"))
    classes = list(prepared.schema.classes)
    places = [classes.index(label) for label in rows["label"]]
    found = np.maximum(probabilities[np.arange(len(rows)), places], 1e-15)
    dropped = sum(one.dropped is not None for one in fitted.candidates)
    return Learnt(-np.log(found), cpu, fitted.selection.winner, dropped)


def search_table(found: Mapping[str, tuple[Learnt, Learnt]]) -> str:
    """Return the Markdown table: a line for each table.

    Parameters
    ----------
    found
        By table: without a search, and with one.
    """
    lines = [
        "| table | log-loss: `ffn init` | searched | difference, 95 % | | winner | dropped | "
        "CPU s: `ffn init` | searched |",
        "|---|--:|--:|---|---|---|--:|--:|--:|",
    ]
    for name, (plain, searched) in found.items():
        change = searched.losses - plain.losses
        half = 1.96 * change.std(ddof=1) / np.sqrt(len(change))
        low, high = change.mean() - half, change.mean() + half
        word = "better" if high < 0 else "worse" if low > 0 else "not told apart"
        lines.append(
            f"| {name} | {plain.losses.mean():.4f} | {searched.losses.mean():.4f} | "
            f"{change.mean():+.4f} [{low:+.4f}, {high:+.4f}] | {word} | {searched.winner} | "
            f"{searched.dropped} | {plain.cpu:.0f} | {searched.cpu:.0f} |"
        )
    return "\n".join(lines)


def _shorten(path: Path, rows: int) -> None:
    """Leave at most so many rows of a CSV file, drawn by a fixed seed."""
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.sample(min(rows, len(table)), random_state=0).to_csv(path, index=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every table, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.searching")
    parser.add_argument("--tables", metavar="NAME,…", default=_TABLES, help=f"default: {_TABLES}")
    parser.add_argument(
        "--rows", type=int, default=1_000, help="train on at most so many (default: 1,000)"
    )
    parser.add_argument("--no-race", action="store_true", help="train every candidate wholly")
    options = parser.parse_args(arguments)
    from benchmarks.machine import one_thread

    # Read by each library when it is imported.
    os.environ.update(one_thread())
    from benchmarks.accuracy.tables.catalogue import CHOOSING, tables_named
    from benchmarks.accuracy.tables.splitting import write_split

    found: dict[str, tuple[Learnt, Learnt]] = {}
    with TemporaryDirectory(prefix="ffn-searching-") as folder:
        for table in tables_named(options.tables.split(","), CHOOSING):
            split = write_split(table, 0, Path(folder) / table.name)
            _shorten(split.train, options.rows)
            search = SEARCH | {"race": not options.no_race}
            plain, searched = (learn(split.train, split.test, one) for one in (None, search))
            found[table.name] = (plain, searched)
            sys.stderr.write(f"{search_table({table.name: found[table.name]})}\n")
    sys.stdout.write(f"{search_table(found)}\n")


if __name__ == "__main__":
    main()
