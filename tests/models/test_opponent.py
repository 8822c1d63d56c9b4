"""What is read of production, and when a retraining would only repeat itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from gated import pipeline, retrain, rows

from ffn.errors import BundleError, RegistryError
from ffn.models.promotion import opponent as module
from ffn.models.promotion.opponent import read_opponent, unchanged_since
from ffn.models.training import retraining
from ffn.models.versions.pointer import promote

LINES = rows(150)


def unchanged(found) -> int | None:
    return unchanged_since(found, retraining.load(found).source_sha256)


def test_production_is_read_with_how_it_was_made(tmp_path: Path) -> None:
    found = pipeline(tmp_path, LINES)
    assert read_opponent(found) is None
    done = retrain(found)
    opponent = read_opponent(found)
    assert opponent is not None
    assert opponent.bundle.sha256 == done.version.sha256
    assert opponent.bundle.version == 1
    assert opponent.settings == found.settings
    assert opponent.epochs == 8
    assert opponent.columns == {"p": "numeric", "q": "numeric"}


def test_a_production_that_is_not_what_was_promoted_is_refused(tmp_path: Path) -> None:
    found = pipeline(tmp_path, LINES)
    retrain(found)
    pointer = found.artifacts / "production.json"
    content = json.loads(pointer.read_bytes())
    pointer.write_text(json.dumps(content | {"bundle_sha256": "0" * 64}))
    with pytest.raises(BundleError, match=r"not the bundle that was promoted, so nothing can be"):
        read_opponent(found)
    pointer.write_text("{")
    with pytest.raises(RegistryError, match=r"production\.json: damaged"):
        read_opponent(found)


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"settings": {"data": {}}}'])
def test_records_that_cannot_be_read_are_none(tmp_path: Path, content: str) -> None:
    found = pipeline(tmp_path, LINES)
    folder = retrain(found).version.bundle.parent
    for name in ("provenance.json", "metrics.json", "verdict.json"):
        (folder / name).write_text(content)
    opponent = read_opponent(found)
    assert opponent is not None
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
    assert unchanged(pipeline(tmp_path, LINES, "mode = 'always'")) is None
    assert unchanged(pipeline(tmp_path, LINES[:-1])) is None
    settings = pipeline(tmp_path, LINES).settings
    training = settings.training.model_copy(update={"seed": 7})
    changed = replace(found, settings=settings.model_copy(update={"training": training}))
    assert unchanged(changed) is None
    with monkeypatch.context() as patched:
        patched.setattr(module, "__version__", "99.0")
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
    # Back to the data of production.
    assert unchanged(pipeline(tmp_path, LINES)) == 1


def test_a_run_that_died_before_it_promoted_is_done_again(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    more = pipeline(tmp_path, LINES + rows(20, seed=1), "mode = 'never'")
    verdict = retrain(more).version.bundle.parent / "verdict.json"
    verdict.write_text(json.dumps(json.loads(verdict.read_bytes()) | {"promote": True}))
    assert unchanged(more) is None
    # Promoted, and rolled back by somebody: not again.
    promote(more.artifacts, 2, reason="")
    promote(more.artifacts, 1, reason="rolled back")
    with (more.artifacts / "history.jsonl").open("a") as history:
        history.write('{"version": [2]}\nnot json\n[]\n')
    assert unchanged(more) == 2
