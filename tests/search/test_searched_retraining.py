"""A retraining that searches: the same bytes where nothing is searched, and however it is run."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffn.bundles.bundle import write_bundle
from ffn.pipelines.execution import Gathered, InProcess, Step
from ffn.pipelines.retraining import run_steps
from ffn.pipelines.worker_processes import WorkerProcesses
from ffn.settings.pipeline import pipeline_at
from tests.helpers.command_line import run_here
from tests.helpers.retrained import bundle_bytes, run

HEAD = """
[data]
source = "train.csv"
target = "y"
[training]
epochs = {epochs}
networks = 4
ensemble = "resamples"
{training}
[optimizers.adamw]
learning_rate = 0.01
"""
LAYERS = "[search]\nlayers = [[], [2], [32]]"


def ring(rows: int) -> str:
    """Return a table whose class is the side of a circle, which no linear function tells apart."""
    x = np.random.default_rng(5).uniform(-1, 1, (rows, 2))
    inside = (x**2).sum(axis=1) < 0.64
    lines = (f"{a:.4f},{b:.4f},{'in' if c else 'out'}" for (a, b), c in zip(x, inside, strict=True))
    return "\n".join(["a,b,y", *lines, ""])


def made_root(root: Path, settings: str, *, epochs: int = 60, training: str = "") -> Path:
    (root / "data/p").mkdir(parents=True)
    text = HEAD.format(epochs=epochs, training=training) + settings
    (root / "data/p/pipeline.toml").write_text(text)
    (root / "data/p/train.csv").write_text(ring(300))
    return root


def retrain(root: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_here(("retrain", "p", "--direct", "--json", "--root", root)) == 0
    return json.loads(out.getvalue())


def version(root: Path) -> Path:
    return root / "artifacts/p/models/0001"


def bundle(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((version(root) / "bundle").iterdir())]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A root in which three shapes were compared by the command, and what it said."""
    root = made_root(tmp_path_factory.mktemp("searched"), LAYERS)
    return root, retrain(root)


def test_a_search_of_one_combination_is_the_plain_retraining(tmp_path: Path) -> None:
    plain = made_root(
        tmp_path / "plain",
        "weight_decay = 0.2\n[network]\nhidden_layers = [6]",
        epochs=8,
        training="dropout = 0.1\nbatch_size = 16\nlabel_smoothing = 0.05",
    )
    one = made_root(
        tmp_path / "one",
        "[search]\nlayers = [[6]]\ndropout = [0.1]\nbatch_size = [16]\n"
        "label_smoothing = [0.05]\nweight_decay = [0.2]",
        epochs=8,
    )
    first, second = (run(pipeline_at("p", root)) for root in (plain, one))
    assert bundle_bytes(first, tmp_path / "first") == bundle_bytes(second, tmp_path / "second")
    assert first.selection.reason == second.selection.reason
    assert first.evaluation == second.evaluation


def test_a_table_that_only_a_hidden_layer_can_learn(
    searched: tuple[Path, Any], tmp_path: Path
) -> None:
    root, found = searched
    assert found["winner"] == "adamw 32"
    # A linear function can do no better than the shares of the classes, and 32 units can.
    line = found["optimizers"]["adamw no hidden layer"]
    assert line["loss"]["value"] > 0.6
    assert line["tied"] is False
    metrics = json.loads((version(root) / "metrics.json").read_text())
    assert metrics["selection"]["crossfitted"]["value"] < 0.3
    assert "for each resample the candidate is chosen on the other ones" in found["reason"]
    assert (root / "artifacts/p/reports/0001/search.png").exists()
    # The model of the winner is the one that a plain retraining of its settings gives.
    alone = run(pipeline_at("p", made_root(tmp_path / "alone", "[network]\nhidden_layers = [32]")))
    bundle_bytes(alone, tmp_path / "bundle")
    arrays = "arrays.safetensors"
    assert (tmp_path / "bundle" / arrays).read_bytes() == (
        version(root) / "bundle" / arrays
    ).read_bytes()


def with_process(name: str, train: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    """A candidate, and the process that trained it."""
    return os.getpid(), train(name, *args)


class Apart(WorkerProcesses):
    """Two worker processes, which note who trained what."""

    def __init__(self) -> None:
        super().__init__(2)
        self.processes: list[int] = []

    def run_each(
        self, step: Step[..., Any], names: Collection[Any], /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        noting = replace(step, function=with_process)
        found = super().run_each(noting, names, step.function, *args, **kwargs)
        self.processes += [process for process, _ in found.results]
        return Gathered([candidate for _, candidate in found.results], found.failures)


def test_candidates_in_processes_of_their_own_give_the_same_bundle(
    searched: tuple[Path, Any], tmp_path: Path
) -> None:
    roots = [made_root(tmp_path / name, LAYERS) for name in ("here", "there")]
    executor = Apart()
    here = run(pipeline_at("p", roots[0]))
    there = run(pipeline_at("p", roots[1]), executor=executor)
    assert len(executor.processes) == 3
    assert os.getpid() not in executor.processes
    digests = {write_bundle(one.refitted.bundle, tmp_path / "bundle") for one in (here, there)}
    assert len(digests) == 1
    assert there.selection.reason == here.selection.reason == searched[1]["reason"]


class KilledAfterTwo(InProcess):
    """Trains two candidates; then the process is killed."""

    def run_each(
        self, step: Step[..., Any], names: Collection[Any], /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        super().run_each(step, list(names)[:2], *args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("not reached")


def test_a_search_that_is_killed_goes_on_with_what_is_left(
    searched: tuple[Path, Any], tmp_path: Path
) -> None:
    root = made_root(tmp_path, LAYERS)
    process = multiprocessing.get_context("fork").Process(
        target=run_steps, args=(pipeline_at("p", root), KilledAfterTwo())
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len([*(root / "artifacts/p/cache").glob("*-candidate-*")]) == 2
    found = retrain(root)
    # What takes longest is trained first.
    kept = [f"adamw {layers}: taken from the interrupted run" for layers in (32, 2)]
    assert sorted(found["notices"]) == sorted(kept)
    assert bundle(root) == bundle(searched[0])
    assert found["reason"] == searched[1]["reason"]


def test_curves_of_candidates_whose_names_hold_a_point_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made_root(tmp_path, "[search]\ndropout = [0.0, 0.2]", epochs=2)
    retrain(root)
    assert run_here(("watch", "p", "--version", "1", "--json", "--root", root)) == 0
    shown = {one["training"] for one in json.loads(capsys.readouterr().out)["trainings"]}
    assert shown == {"adamw, dropout 0", "adamw, dropout 0.2", "refit"}


def test_no_figure_loses_a_digit_beside_long_names(tmp_path: Path) -> None:
    lists = (
        "layers = [[4, 3, 2], [3]]\ndropout = [0.0, 0.125]\nlabel_smoothing = [0.0, 0.0625]\n"
        "batch_size = [64, 128]\nweight_decay = [0.0, 0.03125]\ntrials = 6\n"
    )
    root = made_root(tmp_path, f"[search]\n{lists}", epochs=2)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_here(("retrain", "p", "--direct", "--root", root)) == 0
    # The intervals and the rate of each line of the leaderboard.
    lines = [
        line for line in out.getvalue().splitlines() if line.count(" [") >= 2 and " 0.01 " in line
    ]
    assert len(lines) == 6
    assert "…" not in out.getvalue()
