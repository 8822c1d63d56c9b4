"""What is read of production, and when a retraining would only repeat itself."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ffn.bundles.contents import measure, seal
from ffn.errors import RegistryError
from ffn.promotion import champion as module
from ffn.promotion.champion import Opponent, Unreadable, read_opponent, unchanged_since
from ffn.promotion.table_contract import keep_contract
from ffn.registry.pointer import promote
from ffn.registry.versions import production_version
from ffn.settings.pipeline import Pipeline
from ffn.training import steps
from tests.helpers.gated import pipeline, retrain, rows

LINES = rows(150)


def unchanged(found) -> int | None:
    return unchanged_since(found, steps.load(found).source_sha256, read_opponent(found))


def test_production_is_read_with_how_it_was_made(tmp_path: Path) -> None:
    found = pipeline(tmp_path, LINES)
    assert read_opponent(found) is None
    done = retrain(found)
    opponent = read_opponent(found)
    assert isinstance(opponent, Opponent)
    assert opponent.bundle.sha256 == done.version.sha256
    assert opponent.bundle.version == 1
    assert opponent.settings == found.settings
    assert opponent.epochs == 8
    assert opponent.columns == {"p": "numeric", "q": "numeric"}


def test_the_rate_of_production_is_the_one_that_was_chosen_or_fixed(tmp_path: Path) -> None:
    """Of a list it is read from the figures; older versions recorded none and had one number."""
    several = "[training]\nepochs = 8\nnetworks = 4\n[optimizers.sgd]\nlearning_rate = [1e-9, 1]\n"
    found = pipeline(tmp_path, LINES, toml=several)
    done = retrain(found)
    assert done.run.refitted.learning_rate == 1
    opponent = read_opponent(found)
    assert isinstance(opponent, Opponent)
    assert opponent.learning_rate == 1.0
    metrics = found.artifacts / "models/0001/metrics.json"
    figures = json.loads(metrics.read_bytes())
    del figures["learning_rate"]
    metrics.write_text(json.dumps(figures))
    folder = metrics.parent
    seal(folder, measure(folder), pipeline=found.name, version=1)
    older = read_opponent(found)
    assert isinstance(older, Opponent)
    assert older.learning_rate is None, "one of two is not known"
    provenance = json.loads((folder / "provenance.json").read_bytes())
    provenance["settings"]["optimizers"]["sgd"]["learning_rate"] = 0.5
    (folder / "provenance.json").write_text(json.dumps(provenance))
    seal(folder, measure(folder), pipeline=found.name, version=1)
    older = read_opponent(found)
    assert isinstance(older, Opponent)
    assert older.learning_rate == 0.5


def another_bundle(found: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = found.artifacts / "production.json"
    content = json.loads(pointer.read_bytes())
    pointer.write_text(json.dumps(content | {"bundle_sha256": "0" * 64}))


def a_part_cut_short(found: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(found.artifacts / "models/0001/bundle/arrays.safetensors", 100)


def removed(found: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(found.artifacts / "models/0001")


def a_key_that_it_is_not_signed_with(found: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFN_SIGNING_KEY", "k" * 64)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (another_bundle, "not the bundle that was promoted"),
        (removed, "models/0001 is not there"),
        (a_part_cut_short, "SHA-256 differs from the manifest's"),
        (a_key_that_it_is_not_signed_with, "sign it: ffn promote PIPELINE N --sign"),
    ],
)
def test_what_cannot_be_loaded_gives_way_to_what_passes_the_floors(
    tmp_path: Path, monkeypatch, damage, problem: str
) -> None:
    """It scores nothing, so nobody is served by keeping it; not even where nothing changed."""
    found = pipeline(tmp_path, LINES)
    retrain(found)
    assert unchanged(found) == 1
    damage(found, monkeypatch)
    opponent = read_opponent(found)
    assert isinstance(opponent, Unreadable)
    assert opponent.version == 1
    assert problem in opponent.problem
    assert unchanged(found) is None
    dataset = steps.load(found)
    prepared = steps.normalise(dataset, steps.split(dataset, found), found)
    (notice,) = keep_contract(prepared, opponent, found).notices
    assert notice.startswith(
        "version 1 is in production and cannot be loaded, so neither table nor"
    )
    assert problem in notice
    for gate in ("min_accuracy = 1.0", "mode = 'never'"):
        kept = retrain(pipeline(tmp_path, rows(150, noise=0.5), gate)).verdict
        assert (kept.promote, kept.production) == (False, 1)
    verdict = retrain(found).verdict
    assert verdict.sentence(4) == (
        "Version 4 is promoted: version 1 in production cannot be loaded, so nothing was compared."
    )
    assert production_version(found.artifacts) == 4
    assert unchanged(found) == 4


def test_without_a_pointer_nobody_knows_what_would_be_replaced(tmp_path: Path) -> None:
    found = pipeline(tmp_path, LINES)
    retrain(found)
    for damage in (lambda path: path.write_text("{"), Path.unlink):
        damage(found.artifacts / "production.json")
        with pytest.raises(RegistryError, match=r"production\.json: .* ffn promote made N"):
            read_opponent(found)


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"settings": {"data": {}}}'])
def test_records_that_cannot_be_read_are_none(tmp_path: Path, content: str) -> None:
    found = pipeline(tmp_path, LINES)
    folder = retrain(found).version.bundle.parent
    for name in ("provenance.json", "metrics.json", "verdict.json"):
        (folder / name).write_text(content)
    opponent = read_opponent(found)
    assert isinstance(opponent, Opponent)
    assert (opponent.settings, opponent.epochs, opponent.columns) == (None, None, None)
    assert unchanged(found) is None


def test_equal_data_settings_and_code_would_only_repeat_a_version(
    tmp_path: Path, monkeypatch
) -> None:
    found = pipeline(tmp_path, LINES)
    assert unchanged(found) is None
    retrain(found)
    assert unchanged(found) == 1
    # What the gate asks changes nothing about the model in production.
    assert unchanged(pipeline(tmp_path, LINES, "mode = 'better'")) == 1
    assert unchanged(pipeline(tmp_path, LINES, "mode = 'always'")) == 1
    assert unchanged(pipeline(tmp_path, LINES[:-1])) is None
    settings = pipeline(tmp_path, LINES).settings
    training = settings.training.model_copy(update={"seed": 7})
    changed = replace(found, settings=settings.model_copy(update={"training": training}))
    assert unchanged(changed) is None
    with monkeypatch.context() as patched:
        patched.setattr(module, "code_sha256", lambda: "of other modules")
        assert unchanged(found) is None
    assert unchanged(found) == 1


def test_a_version_that_was_kept_back_is_not_made_again(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    more = pipeline(tmp_path, LINES + rows(20, seed=1), "mode = 'never'")
    retrain(more)
    assert unchanged(more) == 2
    # Another question may have another answer.
    again = pipeline(tmp_path, LINES + rows(20, seed=1), "mode = 'better'")
    assert unchanged(again) is None
    # Promoted without a comparison, if it is made again.
    assert unchanged(pipeline(tmp_path, LINES + rows(20, seed=1), "mode = 'always'")) is None
    # Back to the data of production.
    assert unchanged(pipeline(tmp_path, LINES)) == 1


def rewrite_verdict(found: Pipeline, version: int, **changes: Any) -> None:
    """Change what a version's verdict says, and its seal with it."""
    folder = found.artifacts / "models" / f"{version:04}"
    verdict = folder / "verdict.json"
    verdict.write_text(json.dumps(json.loads(verdict.read_bytes()) | changes))
    seal(folder, measure(folder), pipeline=found.artifacts.name, version=version)


@pytest.mark.parametrize(
    ("canary", "settled"),
    [
        ({"rows": 6, "problem": "it did not end within 120 seconds"}, None),
        ({"rows": 6, "problem": ""}, 1),
        (None, 1),
        ("rubbish", 1),
    ],
)
def test_a_version_whose_canary_failed_is_made_again(
    tmp_path: Path, canary: object, settled: int | None
) -> None:
    """Nothing may be in production, and nothing else would ever bring something there."""
    found = pipeline(tmp_path, LINES, "mode = 'never'\nmin_accuracy = 1.0")
    assert not retrain(found).verdict.promote
    rewrite_verdict(found, 1, canary=canary)
    assert unchanged(found) == settled


def test_a_run_that_died_before_it_promoted_is_done_again(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    more = pipeline(tmp_path, LINES + rows(20, seed=1), "mode = 'never'")
    retrain(more)
    rewrite_verdict(more, 2, promote=True)
    assert unchanged(more) is None
    # Promoted, and rolled back by somebody: not again.
    promote(more.artifacts, 2, reason="")
    promote(more.artifacts, 1, reason="rolled back")
    with (more.artifacts / "history.jsonl").open("a") as history:
        history.write('{"version": [2]}\nnot json\n[]\n')
    assert unchanged(more) == 2
