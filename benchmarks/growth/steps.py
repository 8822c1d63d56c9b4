"""A program: the steps of a retraining, one after another, with the CPU time of each.

``python -m benchmarks.growth.steps ROOT WORKERS``; prints one JSON object. With workers, the
training tasks run in processes of their own, as under Prefect.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

# What the steps import when they need it; it costs every table the same second.
import scipy.stats  # noqa: F401
import sklearn.preprocessing  # noqa: F401

from ffn.pipelines import retraining, retraining_steps
from ffn.pipelines.execution import Gathered, InProcess, Step
from ffn.settings.pipeline import find_pipeline

R = TypeVar("R")
P = ParamSpec("P")
T = TypeVar("T")


class Timed(InProcess):
    """Runs steps in this process, trainings in worker processes if there are any; keeps CPU times.

    Attributes
    ----------
    seconds
        CPU seconds by step.
    """

    def __init__(self, workers: int) -> None:
        self.seconds: dict[str, float] = {}
        self._workers = workers

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the step's function."""
        with self._timed(step.name):
            return step.function(*args, **kwargs)

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Call the step's function for each item, in the workers if there are any."""
        with self._timed(step.name):
            if not self._workers:
                return super().run_each(step, items, *args, **kwargs)
            with ProcessPoolExecutor(self._workers, get_context("spawn")) as pool:
                futures = [pool.submit(step.function, item, *args, **kwargs) for item in items]
                return Gathered([future.result() for future in futures])

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = cpu_seconds()
        yield
        self.seconds[name] = cpu_seconds() - started


def main(root: Path, workers: int) -> None:
    """Retrain the pipeline ``table`` of ``root``."""
    executor = Timed(workers)
    pipeline = find_pipeline("table", root)
    dataset = executor.run(retraining_steps.LOAD, pipeline)
    _, prepared = retraining.prepare(pipeline, dataset, executor)
    fitted = retraining.fit(pipeline, prepared, executor)
    digest = hashlib.sha256(fitted.refitted.bundle.network.parameters.tobytes())
    for candidate in fitted.candidates:
        digest.update(candidate.history.train_loss.tobytes())
        digest.update(candidate.history.validation_loss.tobytes())
    found = {
        "seconds": executor.seconds,
        "accuracy": fitted.evaluation.accuracy.value,
        "inputs_bytes": prepared.x_train.nbytes + prepared.x_test.nbytes,
        "digest": digest.hexdigest(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it has ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
