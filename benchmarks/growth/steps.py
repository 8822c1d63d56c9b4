"""A program: the steps of a retraining, one after another, with the CPU time of each.

``python -m benchmarks.growth.steps ROOT WORKERS``; prints one JSON object. With workers, the
training tasks run in processes of their own, as under Prefect.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

# What the steps import when they need it; it costs every table the same second.
import scipy.stats  # noqa: F401
import sklearn.preprocessing  # noqa: F401

from ffn.settings.pipeline import find_pipeline
from ffn.training import steps
from ffn.training.selection import Candidate, select_best

_T = TypeVar("_T")


def main(root: Path, workers: int) -> None:
    """Retrain the pipeline ``table`` of ``root``."""
    seconds: dict[str, float] = {}

    def timed(step: str, run: Callable[[], _T]) -> _T:
        started = _cpu()
        result = run()
        seconds[step] = _cpu() - started
        return result

    pipeline = find_pipeline("table", root)
    dataset = timed("load", lambda: steps.load(pipeline))
    held_out = timed("split", lambda: steps.split(dataset, pipeline))
    prepared = timed("normalise", lambda: steps.normalise(dataset, held_out, pipeline))

    def train() -> list[Candidate]:
        optimizers = list(pipeline.settings.optimizers.candidates())
        tasks = [(prepared.training, pipeline, optimizer) for optimizer in optimizers]
        if not workers:
            return [steps.train_candidate(*task) for task in tasks]
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            return list(pool.map(steps.train_candidate, *zip(*tasks, strict=True)))

    candidates = timed("train", train)
    selection = select_best(candidates)
    refitted = timed(
        "refit",
        lambda: steps.refit(prepared.training, pipeline, selection, candidates),
    )
    evaluation = timed("evaluate", lambda: steps.evaluate(refitted, prepared, pipeline))
    digest = hashlib.sha256(refitted.bundle.network.parameters.tobytes())
    for candidate in candidates:
        digest.update(candidate.history.train_loss.tobytes())
        digest.update(candidate.history.validation_loss.tobytes())
    found = {
        "seconds": seconds,
        "accuracy": evaluation.accuracy.value,
        "inputs_bytes": prepared.x_train.nbytes + prepared.x_test.nbytes,
        "digest": digest.hexdigest(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it has ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
