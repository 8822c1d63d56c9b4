"""Promised and realised figures on tables whose concept drifts, as flights through a year do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.metrics import evaluate_probabilities
from ffn.pipelines.judging import Judged, judge_apart
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.training.tables.loading import load

__all__ = ["DriftingSize", "Kept", "drifting_section", "drifting_table", "kept_promises"]

Array = npt.NDArray[Any]

_DAYS, _LATER = 300, 60
_SEASON, _DRIFT, _SHARPNESS = 0.5, 0.8, 1.5


@dataclass(frozen=True)
class DriftingSize:
    """Number of tables, and of rows in each, over 300 days and over the 60 that follow."""

    tables: int
    rows: int


@dataclass(frozen=True)
class Kept:
    """Shares of the tables whose promised interval has the later truth within, and means.

    Attributes
    ----------
    accuracy, log_loss
        Shares of tables, 0 to 1.
    promised, realised
        Mean accuracy on the held-out rows, and on the rows of the following days.
    """

    accuracy: float
    log_loss: float
    promised: float
    realised: float


def drifting_table(
    day: Array, weights: tuple[Array, Array], generator: np.random.Generator
) -> tuple[Array, Array]:
    """Return features [n, 4] and labels [n] of a season and of weights that drift.

    Parameters
    ----------
    day
        Day of each row [n].
    weights
        Weights of the features at the beginning [4], and what is added to them in 300 days [4].
    generator
        Source of randomness.
    """
    x = generator.normal(size=(len(day), 4))
    first, added = weights
    own = first + added * day[:, np.newaxis] / _DAYS
    score = (x * own).sum(axis=1) + _SEASON * np.sin(2 * np.pi * day / 365)
    labels = generator.random(len(day)) < 1 / (1 + np.exp(-_SHARPNESS * score))
    return x, labels.astype(int)


def kept_promises(size: DriftingSize) -> tuple[Kept, Kept]:
    """Return what is kept of what is promised by time, and by content; ``size`` of both."""
    found = np.array([_promises(size.rows, seed) for seed in range(size.tables)])
    by_time, by_content = (Kept(*map(float, found[:, kind].mean(axis=0))) for kind in (0, 1))
    return by_time, by_content


def _promises(rows: int, seed: int) -> list[tuple[float, float, float, float]]:
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=4), _DRIFT * generator.normal(size=4)
    day = np.sort(generator.integers(0, _DAYS, rows))
    x, labels = drifting_table(day, weights, generator)
    later = drifting_table(generator.integers(_DAYS, _DAYS + _LATER, rows), weights, generator)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = _pipeline(Path(folder), day, x, labels)
        dataset = load(pipeline)
        # Without its times the table is split by content.
        both = dataset, replace(dataset, time=None, time_kind=None)
        return [_kept(judge_apart(pipeline, own), *later) for own in both]


def _pipeline(folder: Path, day: Array, x: Array, labels: Array) -> Pipeline:
    lines = ["day,a,b,c,d,y"] + [
        f"{d},{','.join(f'{value:.4f}' for value in row)},{'ny'[label]}"
        for d, row, label in zip(day, x, labels, strict=True)
    ]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    document = {
        "data": {"source": "t.csv", "target": "y"},
        "split": {"time": "day"},
        "training": {"epochs": 20, "networks": 6, "patience": 5},
        "optimizers": {"adam": {"learning_rate": 0.01}},
    }
    settings = check_settings(document, "pipeline.toml")
    return Pipeline(name="drifting", settings=settings, folder=folder, artifacts=folder / "made")


def _kept(judged: Judged, x: Array, labels: Array) -> tuple[float, float, float, float]:
    bundle, promised = judged.fitted.refitted.bundle, judged.fitted.evaluation
    inputs = bundle.preparation.transform(x, np.empty((len(x), 0), dtype=np.int64))
    true = evaluate_probabilities(
        bundle.probabilities(inputs), labels, bundle.schema.classes, 0, usual=promised.usual
    )
    inside = [
        float(one.low <= other.value <= one.high)
        for one, other in (
            (promised.accuracy, true.accuracy),
            (promised.log_loss, true.log_loss),
        )
    ]
    return inside[0], inside[1], promised.accuracy.value, true.accuracy.value


def drifting_section(size: DriftingSize, by_time: Kept, by_content: Kept) -> str:
    """Return the sentences on what is kept of what is promised.

    Parameters
    ----------
    size
        How much was simulated.
    by_time, by_content
        Results of `kept_promises`.
    """
    lines = [
        f"Of {size.tables:,} tables of {size.rows:,} rows over {_DAYS} days, with a season and "
        f"weights that drift, the promised 95 % interval had the figure of the following {_LATER} "
        "days within:",
        "",
        "| held out | accuracy | log-loss | promised accuracy | realised accuracy |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, kept in (("by time", by_time), ("by content", by_content)):
        lines.append(
            f"| {name} | {kept.accuracy:.2f} | {kept.log_loss:.2f} | {kept.promised:.3f} | "
            f"{kept.realised:.3f} |"
        )
    return "\n".join(lines)
