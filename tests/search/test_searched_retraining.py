"""A retraining that searches: the same bytes where nothing is searched, and however it is run."""

from __future__ import annotations

import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.command_line import run_here
from tests.helpers.waiting import wait_for

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


def ring(rows: int) -> str:
    """Return a table whose class is the side of a circle, which no linear function tells apart."""
    x = np.random.default_rng(5).uniform(-1, 1, (rows, 2))
    inside = (x**2).sum(axis=1) < 0.64
    lines = (f"{a:.4f},{b:.4f},{'in' if c else 'out'}" for (a, b), c in zip(x, inside, strict=True))
    return "\n".join(["a,b,y", *lines, ""])


def made_root(root: Path, settings: str, *, epochs: int = 8, training: str = "") -> Path:
    (root / "data/p").mkdir(parents=True)
    text = HEAD.format(epochs=epochs, training=training) + settings
    (root / "data/p/pipeline.toml").write_text(text)
    (root / "data/p/train.csv").write_text(ring(300))
    return root


def retrain(root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    assert run_here(("retrain", "p", "--direct", "--json", "--root", root)) == 0
    return json.loads(capsys.readouterr().out)


def bundle(root: Path) -> dict[str, bytes]:
    folder = root / "artifacts/p/models/0001/bundle"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_search_of_one_combination_is_the_plain_retraining(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = made_root(
        tmp_path / "plain",
        "weight_decay = 0.2\n[network]\nhidden_layers = [6]",
        training="dropout = 0.1\nbatch_size = 16\nlabel_smoothing = 0.05",
    )
    one = made_root(
        tmp_path / "one",
        "[search]\nlayers = [[6]]\ndropout = [0.1]\nbatch_size = [16]\n"
        "label_smoothing = [0.05]\nweight_decay = [0.2]",
    )
    first, second = retrain(plain, capsys), retrain(one, capsys)
    assert bundle(plain) == bundle(one)
    assert first["reason"] == second["reason"]
    assert first["test"] == second["test"]


def test_a_table_that_only_a_hidden_layer_can_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made_root(tmp_path, "[search]\nlayers = [[], [2], [32]]", epochs=60)
    found = retrain(root, capsys)
    assert found["winner"] == "adamw 32"
    # A linear function can do no better than the shares of the classes, and 32 units can.
    line = found["optimizers"]["adamw no hidden layer"]
    assert line["loss"]["value"] > 0.6
    assert line["tied"] is False
    metrics = json.loads((root / "artifacts/p/models/0001/metrics.json").read_text())
    assert metrics["selection"]["crossfitted"]["value"] < 0.3
    assert "for each resample the candidate is chosen on the other ones" in found["reason"]
    assert (root / "artifacts/p/reports/0001/search.png").exists()
    # The model of the winner is the one that a plain retraining of its settings gives.
    alone = made_root(tmp_path / "alone", "[network]\nhidden_layers = [32]", epochs=60)
    retrain(alone, capsys)
    assert bundle(root)["arrays.safetensors"] == bundle(alone)["arrays.safetensors"]


def test_a_search_that_is_killed_goes_on_with_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = "[search]\nlayers = [[8], [16], [32]]\ndropout = [0.0, 0.2]"
    whole = made_root(tmp_path / "whole", search, epochs=30)
    root = made_root(tmp_path / "killed", search, epochs=30)
    arguments = ("retrain", "p", "--direct", "--json", "--root", root)
    process = multiprocessing.get_context("fork").Process(target=run_here, args=(arguments,))
    process.start()
    try:
        wait_for(lambda: len([*(root / "artifacts/p/cache").glob("*-candidate-*")]) >= 2)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    kept = len([*(root / "artifacts/p/cache").glob("*-candidate-*")])
    found, expected = retrain(root, capsys), retrain(whole, capsys)
    assert sum("taken from the interrupted run" in text for text in found["notices"]) == kept
    assert bundle(root) == bundle(whole)
    assert found["reason"] == expected["reason"]
    # Names that hold a point are those of the recorded curves, too.
    assert run_here(("watch", "p", "--version", "1", "--json", "--root", root)) == 0
    shown = [one["training"] for one in json.loads(capsys.readouterr().out)["trainings"]]
    sizes, dropouts = ("8", "16", "32"), ("0", "0.2")
    names = {f"adamw {size}, dropout {share}" for size in sizes for share in dropouts}
    assert {*shown} == {*names, "refit"}
