"""What ``ffn watch`` shows of a finished version, and that being watched changes none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

from ffn.nn import Network
from ffn.registry.production_bundle import version_bundle
from ffn.reproduction.version_view import version_view
from ffn.scoring.model import load
from ffn.settings.pipeline import find_pipeline
from ffn.watching.publication import watching
from ffn.watching.snapshots import WATCH_FOLDER
from tests.helpers.tiny_pipeline import build, table, version


def history(root: Path) -> dict[str, np.ndarray]:
    return safetensors.numpy.load((version(root) / "history.safetensors").read_bytes())


def test_a_watched_retraining_makes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched/artifacts/tiny"
    watched.mkdir(parents=True)
    with watching(watched):
        build(tmp_path / "watched")
    for name in ("bundle/manifest.json", "history.safetensors"):
        one, other = (version(where) / name for where in (root, tmp_path / "watched"))
        assert one.read_bytes() == other.read_bytes()
    # A finished retraining leaves nothing to mistake for the next one.
    assert [path.name for path in (watched / WATCH_FOLDER).iterdir()] == ["watched"]


def test_the_curves_are_the_recorded_ones_and_the_figures_those_of_its_network(root, ffn) -> None:
    found = json.loads(ffn("watch", "tiny", "--version", 1, "--json").out)
    assert (found["pipeline"], found["version"]) == ("tiny", 1)
    adam, refit = found["trainings"]
    recorded = history(root)
    for one, name in ((adam, "adam"), (refit, "refit")):
        assert (one["training"], one["networks"], one["epoch"], one["epochs"]) == (name, 2, 3, 3)
        expected = recorded[f"{name}.train_loss"].mean(axis=1)
        np.testing.assert_allclose(one["curve"]["train_loss"], expected, rtol=1e-12)
    assert refit["curve"]["validation_loss"] == [None] * 3
    assert adam["layers"] == []
    network: Network = version_bundle(root / "artifacts/tiny", 1).network
    assert [layer["units"] for layer in refit["layers"]] == [*network.widths[1:-1], 0]
    assert found["notes"][-1] == "gradients and dead units: on 96 training rows"


def test_the_map_shows_every_training_row_where_the_model_answers(root) -> None:
    view = version_view(find_pipeline("tiny", root), 1)
    assert view.map is not None
    assert view.classes == ("no", "yes")
    assert view.shown == "refit"
    # Pairs of two numbers, which are the plane; some of the 35 are held out.
    assert 20 < np.count_nonzero(view.map.rows >= 0) <= 35
    # The corners of the table lie within the picture.
    model = load(root / "artifacts/tiny")
    labels = model.predict(pd.DataFrame({"size": [0, 6], "age": [0, 4]}))
    answered = {view.classes[answer] for answer in np.unique(view.map.answers)}
    assert set(labels) <= answered


def test_nothing_is_left_in_the_cache(root, ffn) -> None:
    cache = root / "artifacts/tiny/cache"
    before = sorted(cache.iterdir())
    ffn("watch", "tiny", "--version", 1)
    assert sorted(cache.iterdir()) == before


def test_without_its_table_a_version_has_curves_alone(root, ffn) -> None:
    table(root).unlink()
    (root / "data/tiny/train.csv").write_text("size,age,kind\n1,2,no\n")
    done = ffn("watch", "tiny", "--version", 1)
    assert done.code == 0
    text = " ".join(done.out.split())
    assert "no map, gradients and dead units, because data: " in text
    assert "validation, else training" not in text
    assert "r refit" in text


def test_a_version_without_history_is_refused_in_one_line(root, ffn) -> None:
    path = version(root) / "history.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    damaged = ffn("watch", "tiny", "--version", 1)
    assert damaged.refusal == (
        f"{path} is missing or damaged, so nothing says how version 1 learned. Choose another "
        "version."
    )
    path.unlink()
    assert ffn("watch", "tiny", "--version", 1).refusal == damaged.refusal


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tiny",), "tiny: no retraining is running. Start one in another terminal: ffn retrain "),
        (("tini",), 'pipeline "tini": no file '),
        (("tiny", "--version", "7"), "tiny: version 7 does not exist; there are: 1. "),
    ],
)
def test_what_cannot_be_watched_is_refused_in_one_line(ffn, arguments, said: str) -> None:
    done = ffn("watch", *arguments)
    assert done.refusal.startswith(said)
    as_json = ffn("watch", *arguments, "--json")
    assert (as_json.code, as_json.err) == (1, done.err)
    assert json.loads(as_json.out)["error"]["message"] == done.refusal


def test_a_pipeline_that_was_never_trained_has_nothing_to_watch(root, ffn) -> None:
    (root / "artifacts").rename(root / "elsewhere")
    assert ffn("watch", "tiny").refusal == (
        "tiny: no retraining is running. Start one in another terminal: ffn retrain tiny"
    )
    assert not (root / "artifacts").exists()
