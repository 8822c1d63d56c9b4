"""A candidate that is trained in stages, and a search that is raced: the same bytes as without."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import signal
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ffn.checkpoints.candidate_files import write_candidate
from ffn.checkpoints.stage_files import read_stage, write_stage
from ffn.pipelines.execution import Gathered, InProcess, Step
from ffn.pipelines.retraining import prepare, run_steps
from ffn.pipelines.worker_processes import WorkerProcesses
from ffn.settings.pipeline import Pipeline, pipeline_at
from ffn.training.candidate_training import train_candidate, train_until
from ffn.training.selection.candidate import Candidate
from ffn.training.steps import load
from tests.helpers.command_line import run_here
from tests.search.test_searched_retraining import bundle, ring, version

TOML = """
[data]
source = "train.csv"
target = "y"
[training]
epochs = {epochs}
networks = {networks}
ensemble = "resamples"
[optimizers.adamw]
learning_rate = {rates}
[search]
layers = [[], [2], {large}]
race = {race}
"""


def made_root(
    root: Path,
    *,
    race: bool = True,
    networks: int = 8,
    epochs: int = 60,
    rates: str = "0.01",
    large: str = "[32]",
) -> Path:
    (root / "data/p").mkdir(parents=True)
    text = TOML.format(
        race=str(race).lower(), networks=networks, epochs=epochs, rates=rates, large=large
    )
    (root / "data/p/pipeline.toml").write_text(text)
    (root / "data/p/train.csv").write_text(ring(300))
    return root


def retrain(root: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_here(("retrain", "p", "--direct", "--json", "--root", root)) == 0
    return json.loads(out.getvalue())


def files(candidate: Candidate, folder: Path) -> dict[str, bytes]:
    """A candidate as bytes, but for the time that it took."""
    folder.mkdir(parents=True)
    write_candidate(replace(candidate, seconds=0.0), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("rates", "name"),
    [("0.01", "adamw 32"), ("[0.0001, 0.003, 0.01]", "adamw 64-32"), ('"auto"', "adamw 2")],
    ids=["one rate", "rates that are raced", "a grid that may grow"],
)
def test_a_candidate_in_stages_is_the_one_at_once(rates: str, name: str, tmp_path: Path) -> None:
    large = "[64, 32]" if "64" in name else "[32]"
    root = made_root(tmp_path, networks=16, epochs=4, rates=rates, large=large)
    pipeline = pipeline_at("p", root)
    part = prepare(pipeline, load(pipeline), InProcess())[1].training
    whole = train_candidate(part, pipeline, name)
    earlier = None
    for stop in (4, 8):
        staged, trained = train_until(part, pipeline, name, stop, earlier)
        assert staged.members is None
        assert len(staged.history.finished) == stop
        folder = tmp_path / str(stop)
        folder.mkdir()
        write_stage(trained, folder)
        earlier = read_stage(folder)
        assert earlier is not None
        assert earlier.resamples == stop
    last, _ = train_until(part, pipeline, name, None, earlier)
    assert files(last, tmp_path / "last") == files(whole, tmp_path / "whole")


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    root = made_root(tmp_path_factory.mktemp("raced"))
    return root, retrain(root)


def test_a_race_drops_what_cannot_learn_and_keeps_the_rest_as_it_was(
    raced: tuple[Path, Any], tmp_path: Path
) -> None:
    root, found = raced
    without = made_root(tmp_path, race=False)
    whole = retrain(without)
    assert found["winner"] == whole["winner"] == "adamw 32"
    assert bundle(root) == bundle(without)
    lines = found["optimizers"]
    why = lines["adamw no hidden layer"]["dropped"]
    assert (why["resamples"], why["of"], why["best"]) == (4, 8, "adamw 32")
    assert why["p_value"] < 0.05
    assert "A race dropped" in found["reason"]
    assert "for each resample after the first 4, which dropped candidates," in found["reason"]
    assert "dropped" not in lines["adamw 32"]
    for name, line in lines.items():
        if "dropped" not in line:
            assert line["loss"] == whole["optimizers"][name]["loss"]
            assert line["networks"] == 8
        else:
            assert line["networks"] == 4
    assert not any("dropped" in line for line in whole["optimizers"].values())
    assert "dropped after 4 of 8 resamples" in (
        root / "artifacts/p/reports/0001/report.html"
    ).read_text("utf-8")


def test_by_a_metric_who_is_left_is_as_without_a_race(tmp_path: Path) -> None:
    made = {}
    for race in (True, False):
        root = made_root(tmp_path / str(race), race=race, epochs=30)
        toml = root / "data/p/pipeline.toml"
        toml.write_text(f'{toml.read_text()}[decision]\nmetric = "balanced_accuracy"\n')
        made[race] = retrain(root), bundle(root)
    (found, raced), (whole, all_trained) = made[True], made[False]
    assert raced == all_trained
    line, other = (one["optimizers"]["adamw no hidden layer"] for one in (found, whole))
    why = line["dropped"]
    assert (why["resamples"], why["best"]) == (4, "adamw 32")
    # A linear function is right about the larger class alone: half of the classes.
    assert other["figure"]["value"] == pytest.approx(0.5, abs=0.02)
    # Of a metric that is to be high the one that has less is behind.
    assert 0.3 < why["behind"] < 0.6


def test_in_processes_of_their_own_it_is_the_same(raced: tuple[Path, Any], tmp_path: Path) -> None:
    root = made_root(tmp_path)
    logged: list[str] = []

    class Logging(WorkerProcesses):
        def log(self, text: str) -> None:
            logged.append(text)

    outcome = run_steps(pipeline_at("p", root), Logging(2))
    dropped = [name for name, line in raced[1]["optimizers"].items() if "dropped" in line]
    (told,) = logged
    assert told.startswith(f"{len(dropped)} of 3 candidates dropped: ")
    assert all(f"{name} dropped after 4 of 8 resamples" in told for name in dropped)
    assert outcome.selection.reason == raced[1]["reason"]
    assert bundle(root) == bundle(raced[0])


class KilledInStage(InProcess):
    """Is killed after the first candidate of a stage."""

    def __init__(self, number: int) -> None:
        self._left = number

    def run_each(
        self, step: Step[..., Any], names: Collection[Any], /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        if self._left:
            self._left -= 1
            return super().run_each(step, names, *args, **kwargs)
        super().run_each(step, list(names)[:1], *args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("not reached")


def _killed(pipeline: Pipeline, stage: int) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=run_steps, args=(pipeline, KilledInStage(stage))
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_race_that_is_killed_goes_on_with_its_stages(
    raced: tuple[Path, Any], tmp_path: Path
) -> None:
    root = made_root(tmp_path)
    cache = root / "artifacts/p/cache"
    _killed(pipeline_at("p", root), 0)
    assert len([*cache.glob("*-candidate-*/stage.json")]) == 1
    _killed(pipeline_at("p", root), 1)
    assert len([*cache.glob("*-candidate-*/stage.json")]) == 3
    found = retrain(root)
    assert "adamw 32: taken from the interrupted run" in found["notices"]
    assert bundle(root) == bundle(raced[0])
    assert found["reason"] == raced[1]["reason"]
    assert not [*cache.glob("*-candidate-*")]
    assert version(root).exists()
