"""A new version scores only when all that speaks of it is written."""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import replace

import joblib
import pytest

from ffn.bundles.bundle import read_bundle
from ffn.pipelines import retraining_steps
from ffn.pipelines.retraining import run_steps
from ffn.registry.pointer import promote
from ffn.registry.versions import production_version, versions
from ffn.settings.pipeline import find_pipeline
from ffn.training import candidate_training
from tests.helpers.retrained import Replacing


@pytest.mark.parametrize("step", ["export", "report"])
def test_where_a_later_step_fails_the_old_version_goes_on_scoring(ffn, trained, step):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    artifacts = trained / "artifacts" / "iris"
    with (trained / "data/iris/pipeline.toml").open("a") as settings:
        settings.write('\n[gate]\nmode = "always"\n')
    # Other data: of what production was made of, a retraining would be skipped.
    table = trained / "data/iris/train.csv"
    table.write_text(table.read_text() + "5.0,3.4,1.5,0.25,Iris-setosa\n")
    with pytest.raises(OSError, match="No space left on device"):
        run_steps(find_pipeline("iris", trained), Replacing(**{step: fail}))
    assert (versions(artifacts), production_version(artifacts)) == ([1, 2], 1)
    assert ffn("retrain", "iris", "--direct", "--root", trained).code == 0
    assert (versions(artifacts), production_version(artifacts)) == ([1, 2, 3], 3)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *itertools.product(
            ("history.jsonl", "reports", "production.json"),
            ("pipe", "dangling link", "folder or file"),
        ),
        # A pipe can be locked.
        (".lock", "dangling link"),
        (".lock", "folder or file"),
    ],
)
def test_what_cannot_be_changed_is_found_before_anything_is_trained(
    ffn, trained, monkeypatch, name, wrong
):
    def train(*arguments):
        raise AssertionError("trained")

    path = trained / "artifacts/iris" / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if wrong == "pipe":
        os.mkfifo(path)
    elif wrong == "dangling link":
        path.symlink_to("nowhere")
    elif name == "reports":
        path.touch()
    else:
        path.mkdir()
    monkeypatch.setattr(candidate_training, "train_until", train)
    done = ffn("retrain", "iris", "--direct", "--force", "--root", trained)
    assert name in done.refusal
    assert versions(trained / "artifacts/iris") == [1]


def test_a_version_that_was_overtaken_is_not_left_as_the_export(registry):
    """Version 2 is promoted by hand while version 5, which the gate would promote, is judged."""
    toml = registry / "data/iris/pipeline.toml"
    toml.write_text(toml.read_text().replace('mode = "always"', 'mode = "not_worse"'))
    artifacts = registry / "artifacts/iris"

    def decide(*arguments):
        return replace(retraining_steps.DECIDE.function(*arguments), promote=True)

    def overtaken(*arguments):
        promote(artifacts, 2, reason="by hand")
        return retraining_steps.REPORT.function(*arguments)

    found = run_steps(
        find_pipeline("iris", registry), Replacing(decide=decide, report=overtaken), force=True
    )
    assert (found.version.number, found.version.verdict.promote, found.export) == (5, False, None)
    assert production_version(artifacts) == 2
    exported = joblib.load(artifacts / "best_iris_model.pkl")["network"].network_.parameters
    scores = read_bundle(artifacts / "models/0002/bundle").network.parameters
    assert (exported == scores).all()
