"""A retraining that was ended goes on from what had finished, and makes the same bytes."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from numpy.testing import assert_array_equal

from ffn.checkpoints import finished_candidates
from ffn.checkpoints.finished_candidates import FinishedCandidate
from ffn.pipelines.retraining_steps import TRAIN, train
from ffn.settings.document import check_settings
from tests.helpers.command_line import run_here
from tests.helpers.retrained import prepare, shipped
from tests.helpers.waiting import wait_for

SETTINGS = """
[data]
source = "train.csv"
target = "species"
[training]
epochs = 40
networks = 4
[optimizers.sgd]
[optimizers.momentum]
[optimizers.adam]
[optimizers.adamw]
"""


def made_root(root: Path, repository: Path) -> Path:
    (root / "data/iris").mkdir(parents=True)
    (root / "data/iris/pipeline.toml").write_text(SETTINGS)
    shutil.copy(repository / "data/iris/train.csv", root / "data/iris")
    return root


def finished(root: Path) -> list[Path]:
    return sorted((root / "artifacts/iris/cache").glob("*-candidate-*"))


def bundle(root: Path) -> dict[str, bytes]:
    folder = root / "artifacts/iris/models/0001/bundle"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def figures(root: Path) -> Any:
    """All figures of a version, without wall times."""
    text = (root / "artifacts/iris/models/0001/metrics.json").read_text()
    return json.loads(text, object_hook=lambda d: {k: v for k, v in d.items() if k != "seconds"})


def retrain(root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    assert run_here(("retrain", "iris", "--direct", "--json", "--root", root)) == 0
    return json.loads(capsys.readouterr().out)


def killed_after_its_first_candidate(root: Path) -> None:
    arguments = ("retrain", "iris", "--direct", "--json", "--root", root)
    process = multiprocessing.get_context("fork").Process(target=run_here, args=(arguments,))
    process.start()
    try:
        wait_for(lambda: bool(finished(root)))
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (root / "artifacts/iris/production.json").exists()


def test_killed_after_its_first_candidate(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed = made_root(tmp_path / "undisturbed", repository)
    assert retrain(undisturbed, capsys)["notices"] == []
    assert finished(undisturbed) == []
    root = made_root(tmp_path / "root", repository)
    killed_after_its_first_candidate(root)
    taken = [path.name.split("-")[2] for path in finished(root)]
    assert 1 <= len(taken) <= 4
    notices = retrain(root, capsys)["notices"]
    assert sorted(notices) == sorted(f"{name}: taken from the interrupted run" for name in taken)
    assert bundle(root) == bundle(undisturbed)
    assert figures(root) == figures(undisturbed)
    assert finished(root) == []


@pytest.fixture
def trained(tmp_path: Path, repository: Path) -> Any:
    pipeline = shipped(repository, "iris", tmp_path, epochs=2, networks=2)
    part = prepare(pipeline).training
    assert not train("sgd", part, pipeline).taken
    return pipeline, part


def test_damage_is_noticed_and_trained_again(trained: Any) -> None:
    pipeline, part = trained
    whole = train("sgd", part, pipeline)
    assert whole.taken
    (entry,) = (pipeline.artifacts / "cache").glob("*-candidate-*")
    for path in sorted(entry.iterdir()):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        again = train("sgd", part, pipeline)
        assert not again.taken
        assert_array_equal(again.validation_loss, whole.validation_loss)
        assert train("sgd", part, pipeline).taken


def test_it_is_taken_only_under_the_same_settings(trained: Any) -> None:
    pipeline, part = trained
    assert train("sgd", part, pipeline).taken
    assert not train("adam", part, pipeline).taken
    document = pipeline.settings.model_dump(mode="json", exclude_none=True)
    for table, key, value in (
        ("training", "seed", 7),
        ("training", "epochs", 3),
        ("network", "hidden_layers", [5]),
    ):
        other = json.loads(json.dumps(document))
        other[table][key] = value
        changed = replace(pipeline, settings=check_settings(other, "x"))
        assert not FinishedCandidate(part, changed, "sgd").read()
    # Whether a file is scored or not has nothing to do with it.
    other = {**document, "scoring": {"max_reject_rate": 0.5}}
    same = replace(pipeline, settings=check_settings(other, "x"))
    assert FinishedCandidate(part, same, "sgd").read()


def test_it_is_taken_only_by_the_same_code_and_packages(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, part = trained
    now = finished_candidates.circumstances()
    for key in ("code_sha256", "packages", "python", "machine", "processor", "blas"):
        monkeypatch.setattr(finished_candidates, "circumstances", lambda k=key: {**now, k: "other"})
        assert not FinishedCandidate(part, pipeline, "sgd").read()
    monkeypatch.undo()
    assert FinishedCandidate(part, pipeline, "sgd").read()


def test_under_a_time_budget_nothing_is_kept(tmp_path: Path, repository: Path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=2, networks=2, time_budget="1h")
    part = prepare(pipeline).training
    assert not train("sgd", part, pipeline).taken
    assert not train("sgd", part, pipeline).taken
    assert list((tmp_path / "iris/cache").glob("*-candidate-*")) == []


def test_a_disk_without_room_for_it_loses_nothing(trained: Any) -> None:
    pipeline, part = trained
    cache = pipeline.artifacts / "cache"
    before = sorted(path.name for path in cache.iterdir())
    candidate = train("sgd", part, pipeline)
    (cache / before[-1]).rename(cache.parent / "aside")
    shutil.rmtree(cache)
    cache.write_text("no folder")
    FinishedCandidate(part, pipeline, "sgd").write(candidate)
    assert FinishedCandidate(part, pipeline, "sgd").read() is None
    assert cache.read_text() == "no folder"


def test_the_log_says_where_it_came_from(trained: Any) -> None:
    pipeline, part = trained
    assert TRAIN.summary(train("sgd", part, pipeline)) == "sgd: taken from the interrupted run"
    assert TRAIN.summary(train("adam", part, pipeline)).startswith("adam: trained in ")
