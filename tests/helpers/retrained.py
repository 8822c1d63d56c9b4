"""Retrainings small enough for a test, step by step as the flows run them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ffn.evaluation.importance import Importance
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.promotion.register import Version, serialise
from ffn.promotion.verdict import Verdict
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.training import steps
from ffn.training.examination import Examination
from ffn.training.retrained import Retrained
from ffn.training.selection import Candidate, Selection, select_best
from ffn.training.steps import Prepared, Refitted

FIRST = Verdict(
    promote=True,
    reason="there was none in production",
    mode="not_worse",
    production=None,
    floors=(),
    calibration_error=0.05,
    columns={},
)
UNEXAMINED = Examination(
    rows=0,
    baselines=(),
    importance=Importance(features=(), left_out=0, rows=0, repeats=0),
    mistakes=(),
    temperature=None,
)


@dataclass(frozen=True)
class Run:
    pipeline: Pipeline
    prepared: Prepared
    candidates: list[Candidate]
    selection: Selection
    refitted: Refitted
    evaluation: HeldOutEvaluation
    examination: Examination = UNEXAMINED

    def retrained(self) -> Retrained:
        return Retrained(**{field.name: getattr(self, field.name) for field in fields(self)})

    def serialise(self, verdict: Verdict = FIRST, **made: Any) -> Version:
        return serialise(
            self.retrained(), lambda folder: verdict, lambda folder, found: "# card\n", **made
        )


def shipped(repository: Path, name: str, artifacts: Path, **training: Any) -> Pipeline:
    """A shipped pipeline that writes elsewhere, with other ``[training]`` values."""
    found = find_pipeline(name, repository)
    document = tomllib.loads((found.folder / "pipeline.toml").read_text("utf-8"))
    document["training"] |= training
    return replace(
        found, settings=check_settings(document, "pipeline.toml"), artifacts=artifacts / name
    )


def made(folder: Path, csv: str, toml: str = "") -> Pipeline:
    """A pipeline of this text, target ``y``."""
    (folder / "t.csv").write_text(csv)
    document: dict[str, Any] = {"data": {"source": "t.csv", "target": "y"}}
    for key, table in tomllib.loads(toml).items():
        document[key] = {**document.get(key, {}), **table}
    return Pipeline(
        name="made",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts" / "made",
    )


def prepare(pipeline: Pipeline) -> Prepared:
    dataset = steps.load(pipeline)
    return steps.normalise(dataset, steps.split(dataset, pipeline), pipeline)


def run(
    pipeline: Pipeline,
    *,
    held_out: np.ndarray | None = None,
    submit: Callable[..., Any] = map,
) -> Run:
    """All steps."""
    dataset = steps.load(pipeline)
    if held_out is None:
        held_out = steps.split(dataset, pipeline)
    prepared = steps.normalise(dataset, held_out, pipeline)

    def train(optimizer: str) -> Candidate:
        return steps.train_candidate(prepared.training, pipeline, optimizer)

    candidates = list(submit(train, pipeline.settings.optimizers.candidates()))
    selection = select_best(candidates)
    refitted = steps.refit(prepared.training, pipeline, selection, candidates)
    evaluation = steps.evaluate(refitted, prepared, pipeline)
    return Run(pipeline, prepared, candidates, selection, refitted, evaluation)
