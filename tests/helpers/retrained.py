"""Retrainings small enough for a test, step by step as the flows run them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.bundle import write_bundle
from ffn.evaluation.importance import Importance
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.pipelines import retraining, retraining_steps
from ffn.pipelines.execution import Executor, Gathered, InProcess, Step
from ffn.promotion.register import Version, serialise
from ffn.promotion.verdict import Verdict
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.tabular.splitting.division import Division
from ffn.training import candidate_training
from ffn.training.examination import Examination
from ffn.training.retrained import Retrained
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.leaderboard import Selection
from ffn.training.selection.model_selection import select_best
from ffn.training.steps import Prepared, Refitted

FIRST = Verdict(
    promote=True,
    reason="no version was in production",
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


def shipped(
    repository: Path, name: str, artifacts: Path, *, rate: float | str = 0.005, **training: Any
) -> Pipeline:
    """A shipped pipeline that writes elsewhere, with other ``[training]`` values.

    All optimizers have one learning rate unless ``rate`` is ``"auto"``, which takes longer.
    """
    found = find_pipeline(name, repository)
    document = tomllib.loads((found.folder / "pipeline.toml").read_text("utf-8"))
    document["training"] |= training
    for optimizer in document["optimizers"].values():
        optimizer["learning_rate"] = rate
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
    executor = InProcess()
    return retraining.prepare(pipeline, executor.run(retraining_steps.LOAD, pipeline), executor)[1]


def run(
    pipeline: Pipeline,
    *,
    held_out: Division | np.ndarray | None = None,
    executor: Executor | None = None,
) -> Run:
    """The steps from the table to an evaluated model; nothing is registered.

    ``held_out`` takes the place of the rows that the split would hold out.
    """
    executor = executor or InProcess()
    dataset = executor.run(retraining_steps.LOAD, pipeline)
    if held_out is None:
        _, prepared = retraining.prepare(pipeline, dataset, executor)
    else:
        division = held_out if isinstance(held_out, Division) else Division.of(held_out)
        prepared = executor.run(retraining_steps.NORMALISE, dataset, division, pipeline)
    fitted = retraining.fit(pipeline, prepared, executor)
    return Run(
        pipeline,
        prepared,
        fitted.candidates,
        fitted.selection,
        fitted.refitted,
        fitted.evaluation,
    )


class Replacing(InProcess):
    """Runs steps in this process, with other functions in place of those of some steps."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self._functions = functions

    def run(self, step: Step[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._functions.get(step.name, step.function)(*args, **kwargs)

    def run_each(
        self, step: Step[..., Any], names: Collection[Any], /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        return Gathered([self.run(step, name, *args, **kwargs) for name in names])


class InThreads(InProcess):
    """Runs a step for all names at once."""

    def run_each(
        self, step: Step[..., Any], names: Collection[Any], /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        with ThreadPoolExecutor(len(names)) as pool:
            futures = [pool.submit(step.function, name, *args, **kwargs) for name in names]
        return Gathered([future.result() for future in futures])


def bundle_bytes(found: Run, folder: Path) -> list[bytes]:
    """The files of a model, written into ``folder``."""
    write_bundle(found.refitted.bundle, folder)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def candidates_of(pipeline: Pipeline) -> tuple[Prepared, list[Candidate], Selection]:
    """Everything before the refit."""
    prepared = prepare(pipeline)
    candidates = [
        candidate_training.train_candidate(prepared.training, pipeline, name)
        for name in pipeline.settings.optimizers.candidates()
    ]
    return prepared, candidates, select_best(candidates)


def broken_training(train: Callable[..., Any], which: Collection[int]) -> Callable[..., Any]:
    """``ffn.nn.train``, in which these networks diverge."""

    def broken(network: Any, *args: Any, **kwargs: Any) -> Any:
        history = train(network, *args, **kwargs)
        for k in which:
            history.diverged[k], history.best_epoch[k] = "loss not finite after epoch 3", -1
            history.train_loss[:, k] = np.nan
            network.parameters[k] = np.nan
        return history

    return broken
