from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import ffn
from ffn.bundles.bundle import read_bundle
from ffn.errors import BundleError, RegistryError
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion import register
from ffn.promotion.register import jsonable, promote_version
from ffn.registry.actor import Actor
from ffn.registry.provenance import code_sha256
from ffn.registry.versions import production_version, versions
from tests.helpers.retrained import FIRST, Run, run, shipped

QUICK = {"epochs": 6, "networks": 3}


@pytest.fixture(scope="module")
def quick(repository: Path, tmp_path_factory) -> Run:
    return run(shipped(repository, "iris", tmp_path_factory.mktemp("artifacts"), **QUICK))


def elsewhere(found: Run, artifacts: Path) -> Run:
    return replace(found, pipeline=replace(found.pipeline, artifacts=artifacts))


def strict(path: Path):
    """The document in a file that has neither NaN nor infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{path} holds {constant}")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_version_holds_bundle_figures_curves_and_provenance(quick: Run, tmp_path: Path) -> None:
    version = elsewhere(quick, tmp_path / "iris").serialise()
    folder = version.bundle.parent
    assert folder == tmp_path / "iris" / "models" / "0001"
    assert set(files(folder)) == {
        "bundle/manifest.json",
        "bundle/model.json",
        "bundle/arrays.safetensors",
        "bundle/reference.json",
        "files.json",
        "history.safetensors",
        "metrics.json",
        "model_card.md",
        "provenance.json",
        "verdict.json",
    }
    assert version.number == 1
    assert read_bundle(version.bundle).sha256 == version.sha256


def test_a_version_scores_when_it_is_promoted_and_not_before(quick: Run, tmp_path: Path) -> None:
    found = elsewhere(quick, tmp_path / "iris")
    version = found.serialise()
    with pytest.raises(RegistryError, match=r"iris: no model in production"):
        production_version(tmp_path / "iris")
    assert not (tmp_path / "iris" / "history.jsonl").exists()
    promote_version(found.pipeline, version)
    assert production_version(tmp_path / "iris") == 1
    pointer = strict(tmp_path / "iris" / "production.json")
    assert (pointer["version"], pointer["bundle_sha256"]) == (1, version.sha256)
    assert pointer["reason"] == "retrained; no version was in production"
    assert strict(tmp_path / "iris" / "history.jsonl") == pointer


def test_a_verdict_against_a_version_that_is_gone_promotes_nothing(quick, tmp_path) -> None:
    """Two runs judged against nothing, then two against version 1: of each pair one is promoted."""
    found = elsewhere(quick, tmp_path / "iris")
    for production in (None, 1):
        verdict = replace(FIRST, production=production)
        versions = [found.serialise(verdict) for _ in range(2)]
        first, second = (promote_version(found.pipeline, version) for version in versions)
        assert first == versions[0]
        assert not second.verdict.promote
        assert second.verdict.sentence(second.number) == (
            f"Version {second.number} is not promoted; version {first.number} stays in production: "
            f"version {first.number} was promoted while this one was being judged."
        )
        assert production_version(tmp_path / "iris") == first.number
    always = found.serialise(replace(FIRST, mode="always"))
    assert promote_version(found.pipeline, always).verdict.promote


def test_a_version_that_is_kept_back_never_scores(quick: Run, tmp_path: Path) -> None:
    found = elsewhere(quick, tmp_path / "iris")
    promote_version(found.pipeline, found.serialise())
    kept = replace(FIRST, promote=False, reason="worse", production=1)
    version = found.serialise(kept)
    promote_version(found.pipeline, version)
    assert production_version(tmp_path / "iris") == 1
    verdict = strict(version.bundle.parent / "verdict.json")
    assert (verdict["promote"], verdict["reason"], verdict["production"]) == (False, "worse", 1)


def test_metrics_are_what_was_measured(quick: Run, tmp_path: Path) -> None:
    version = elsewhere(quick, tmp_path).serialise()
    metrics = strict(version.bundle.parent / "metrics.json")
    assert metrics["epochs"] == 6
    assert metrics["selection"]["winner"] == quick.selection.winner
    assert [line["optimizer"] for line in metrics["selection"]["leaderboard"]] == [
        line.optimizer for line in quick.selection.leaderboard
    ]
    assert metrics["test"]["rows"] == 30
    assert metrics["test"]["accuracy"] == vars(quick.evaluation.accuracy)
    assert sum(rows for *_, rows in metrics["test"]["confusions"]) == 30
    assert metrics["temperature"]["value"] == quick.refitted.temperature.value
    assert metrics["examination"] == jsonable(quick.examination)


def test_curves_of_every_candidate_and_of_the_refit(quick: Run, tmp_path: Path) -> None:
    version = elsewhere(quick, tmp_path).serialise()
    curves = safetensors.numpy.load((version.bundle.parent / "history.safetensors").read_bytes())
    names = {"sgd", "momentum", "adam", "adamw", "refit"}
    figures = {"train_loss", "train_accuracy", "validation_loss", "validation_accuracy"}
    assert set(curves) == {f"{name}.{figure}" for name in names for figure in figures}
    for candidate in quick.candidates:
        found = curves[f"{candidate.optimizer}.validation_loss"]
        assert found.shape == (6, 3)
        np.testing.assert_array_equal(found, candidate.history.validation_loss)


def test_provenance_says_where_the_model_comes_from(
    quick: Run, tmp_path: Path, repository: Path
) -> None:
    version = elsewhere(quick, tmp_path).serialise()
    provenance = strict(version.bundle.parent / "provenance.json")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", provenance["created_at"])
    assert provenance["packages"]["ffn"] == ffn.__version__
    assert provenance["packages"]["numpy"] == np.__version__
    assert provenance["rows"] == {"train": 120, "test": 30}
    assert provenance["seed"] == provenance["settings"]["training"]["seed"] == 42
    assert provenance["settings"]["training"]["epochs"] == 6
    assert (provenance["source"], len(provenance["source_sha256"])) == ("train.csv", 64)
    text = json.dumps(provenance["settings"], indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert provenance["settings_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert (
        provenance["source_sha256"]
        == hashlib.sha256(quick.pipeline.source.read_bytes()).hexdigest()
    )
    assert provenance["by"]["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert provenance["by"]["flow_run"] == ""
    # The commit is there only where the code is in a repository.
    assert set(provenance) - {"commit"} == {
        "blas", "by", "code_sha256", "created_at", "machine", "notices", "packages", "processor",
        "python", "rows", "seconds", "seed", "settings", "settings_sha256", "source",
        "source_sha256",
    }  # fmt: skip
    if shutil.which("git") and (repository / ".git").exists():
        asked = ["git", "-C", str(repository), "rev-parse", "HEAD"]
        head = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        assert provenance["commit"] == head


def test_provenance_names_the_flow_run_and_the_time_it_took(quick: Run, tmp_path: Path) -> None:
    by = Actor(user="ana", host="night", command="ffn retrain iris", flow_run="f-1")
    version = elsewhere(quick, tmp_path).serialise(by=by, seconds=1.23456)
    provenance = strict(version.bundle.parent / "provenance.json")
    assert provenance["by"] == vars(by)
    assert provenance["seconds"] == 1.235


def test_the_code_that_trained_is_known_to_the_byte(repository: Path, tmp_path: Path) -> None:
    """A copy has the same digest, and another one once a byte of any module is another."""
    ask = "from ffn.registry.provenance import code_sha256; print(code_sha256())"
    copy = shutil.copytree(repository / "ffn", tmp_path / "ffn", ignore=lambda *_: ["__pycache__"])

    def digest() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", ask]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return done.stdout.strip()

    assert digest() == code_sha256()
    module = copy / "nn" / "losses.py"
    module.write_bytes(module.read_bytes().replace(b"loss", b"Loss", 1))
    assert len(digest()) == 64
    assert digest() != code_sha256()


def test_two_runs_of_one_seed_differ_in_the_date_alone(quick, repository, tmp_path) -> None:
    first = elsewhere(quick, tmp_path / "one").serialise()
    again = run(shipped(repository, "iris", tmp_path / "two", **QUICK)).serialise()
    other = run(shipped(repository, "iris", tmp_path / "three", **QUICK, seed=7)).serialise()
    assert first.sha256 == again.sha256 != other.sha256
    assert files(first.bundle) == files(again.bundle)
    one, two = files(first.bundle.parent), files(again.bundle.parent)
    del one["files.json"], two["files.json"]
    assert one["history.safetensors"] == two["history.safetensors"]
    provenance = [json.loads(found.pop("provenance.json")) for found in (one, two)]
    metrics = [json.loads(found.pop("metrics.json")) for found in (one, two)]
    for document in provenance:
        del document["created_at"], document["seconds"]
    for document in metrics:
        for line in document["selection"]["leaderboard"]:
            del line["seconds"]
    assert one == two
    assert provenance[0] == provenance[1]
    assert metrics[0] == metrics[1]


def test_a_network_that_diverged_leaves_no_nan_in_any_json(quick: Run, tmp_path: Path) -> None:
    leaderboard = [
        replace(line, loss=Interval(float("nan"), 0.0, float("inf")))
        for line in quick.selection.leaderboard
    ]
    found = replace(quick, selection=replace(quick.selection, leaderboard=tuple(leaderboard)))
    version = elsewhere(found, tmp_path).serialise()
    line = strict(version.bundle.parent / "metrics.json")["selection"]["leaderboard"][0]
    assert line["loss"] == {"value": None, "low": 0.0, "high": None}


def test_jsonable_by_hand() -> None:
    value = {"a": (1, Interval(0.5, -np.inf, np.float64("nan"))), "b": [True, None, "x"]}
    assert jsonable(value) == {
        "a": [1, {"value": 0.5, "low": None, "high": None}],
        "b": [True, None, "x"],
    }


@pytest.mark.parametrize("where", ["network", "preparation"])
def test_a_bundle_that_reads_back_otherwise_registers_nothing(
    quick: Run, tmp_path: Path, monkeypatch, where: str
) -> None:
    """A disk that returns other bytes than it was given, in a way no digest shows."""

    def worn(folder: Path):
        bundle = read_bundle(folder)
        if where == "network":
            bundle.network.parameters[0, 0] += 1
            return bundle
        mean = np.nextafter(bundle.preparation.mean, np.inf)
        return replace(bundle, preparation=replace(bundle.preparation, mean=mean))

    elsewhere(quick, tmp_path).serialise()
    before = files(tmp_path)
    monkeypatch.setattr(register, "read_bundle", worn)
    with pytest.raises(BundleError, match="read back is not the model that was trained"):
        elsewhere(quick, tmp_path).serialise()
    assert versions(tmp_path) == [1]
    assert files(tmp_path) == before


def test_a_full_disk_registers_nothing(quick: Run, tmp_path: Path, monkeypatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(register, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        elsewhere(quick, tmp_path).serialise()
    assert [path.name for path in files_and_folders(tmp_path)] == ["models"]
    assert versions(tmp_path) == []


def files_and_folders(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))
