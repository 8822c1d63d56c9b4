"""How often planted leaks are named, clean tables raise an alarm, and promises hold."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ffn.auditing.audited_columns import choose_audited
from ffn.auditing.split_audit import audit_split
from ffn.evaluation.inference.statistics import Interval
from ffn.pipelines.execution import InProcess
from ffn.pipelines.retraining import fit, prepare
from ffn.scoring.model import Model
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.training.steps import load, look_for_leaks
from simulations.planted import PLANTED, PlantedTable

__all__ = [
    "FULL_AUDITS",
    "QUICK_AUDITS",
    "AuditedTable",
    "audit_planted",
    "audits_section",
    "planted_pipeline",
]


@dataclass(frozen=True)
class Size:
    """How many tables of each kind, and the epochs of their networks."""

    seeds: int
    epochs: int


FULL_AUDITS = Size(seeds=20, epochs=30)
QUICK_AUDITS = Size(seeds=1, epochs=4)


@dataclass(frozen=True)
class AuditedTable:
    """What was said of a table, and what is true.

    Attributes
    ----------
    named
        Columns that were named, by a leak check or the audit, in a way that is seen.
    promised
        Accuracy on the held-out rows.
    expected
        The accuracy that is to be expected after the audit, or as promised if it found nothing.
    true
        Accuracy on the rows to come.
    """

    named: frozenset[str]
    promised: Interval
    expected: Interval
    true: float


def audit_planted(kind: str, seed: int, epochs: int) -> AuditedTable:
    """Retrain on a table of a ``kind`` of `PLANTED`, and let its model meet the rows to come.

    Parameters
    ----------
    kind
        A key of `PLANTED`.
    seed
        Seed of the table.
    epochs
        Epochs of the networks.
    """
    planted = PLANTED[kind](np.random.default_rng([seed, 43]))
    with tempfile.TemporaryDirectory() as folder:
        pipeline = planted_pipeline(Path(folder), planted, epochs)
        executor, dataset = InProcess(), load(pipeline)
        division, prepared = prepare(pipeline, dataset, executor)
        prepared = look_for_leaks(dataset, division, prepared, pipeline)
        fitted = fit(pipeline, prepared, executor)
        audited = choose_audited(dataset, division, pipeline)
        audit = audit_split(audited, division, prepared, fitted.refitted, pipeline)
        promised = fitted.evaluation.accuracy
        found = [one for one in audit.columns if one.matters] if audit else []
        named = {leak.column for leak in prepared.leaks} | {one.column for one in found}
        worst = min(found, key=lambda one: one.expected_accuracy.value, default=None)
        return AuditedTable(
            named=frozenset(named),
            promised=promised,
            expected=worst.expected_accuracy if worst else promised,
            true=_accuracy(Model(fitted.refitted.bundle), planted),
        )


def audits_section(size: Size, workers: int | None) -> str:
    """Return the table for ``docs/split_audit.md``.

    Parameters
    ----------
    size
        How much to simulate.
    workers
        Processes; None for one a core.
    """
    seeds = range(size.seeds)
    lines = [
        f"Of {size.seeds} tables of each kind ({3_000:,} rows; a small network, "
        f"{size.epochs} epochs):",
        "",
        "| table | column named | accuracy promised | after the audit | true | "
        "promise holds the truth | after the audit |",
        "|---|---|---|---|---|---|---|",
    ]
    with ProcessPoolExecutor(workers) as pool:
        for kind in PLANTED:
            found = list(pool.map(partial(audit_planted, kind, epochs=size.epochs), seeds))
            lines.append(_line(kind, found))
    return "\n".join(lines)


def _line(kind: str, found: Sequence[AuditedTable]) -> str:
    leak = PLANTED[kind](np.random.default_rng(0)).leak
    named = sum(leak in one.named if leak else bool(one.named) for one in found)
    means = [
        np.mean([one.promised.value for one in found]),
        np.mean([one.expected.value for one in found]),
        np.mean([one.true for one in found]),
    ]
    held = [
        sum(one.promised.low <= one.true <= one.promised.high for one in found),
        sum(one.expected.low <= one.true <= one.expected.high for one in found),
    ]
    what = "any" if not leak else f"`{leak}`"
    shares = (f"{count} of {len(found)}" for count in held)
    return (
        f"| {kind} | {what}: {named} of {len(found)} | "
        f"{' | '.join(f'{mean:.3f}' for mean in means)} | {' | '.join(shares)} |"
    )


def planted_pipeline(folder: Path, planted: PlantedTable, epochs: int) -> Pipeline:
    """Return a pipeline of a ``planted`` table, written to ``folder``, with a small network."""
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(planted.table)
        writer.writerows(zip(*planted.table.values(), strict=True))
    document: dict[str, Any] = {
        "data": {"source": "train.csv", "target": "y", "exclude": list(planted.excluded)},
        "network": {"hidden_layers": [32]},
        "training": {"epochs": epochs, "networks": 5},
        "optimizers": {"adam": {"learning_rate": 0.01}},
    }
    return Pipeline(
        name="planted",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts",
    )


def _accuracy(model: Model, planted: PlantedTable) -> float:
    import pyarrow as pa

    rows = pa.table({name: values for name, values in planted.to_come.items() if name != "y"})
    return float((model.predict(rows) == planted.to_come["y"]).mean())
