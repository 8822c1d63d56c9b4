"""``ffn.load`` finds a pipeline as ``ffn.retrain`` does; a folder is loaded as before."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ffn
from tests.helpers.command_line import environment


def said(model: ffn.Model) -> tuple[str, int]:
    return model.pipeline, model.version


@pytest.mark.parametrize(
    ("here", "given"),
    [
        (".", "sizes"),
        (".", "data/sizes"),
        (".", "data/sizes/pipeline.toml"),
        (".", "artifacts/sizes"),
        ("data", "./sizes"),
        ("data/sizes", "."),
        ("data/sizes/inbox", ".."),
        ("artifacts", "sizes"),
        ("artifacts/sizes/models", "0001"),
        ("artifacts/sizes/models/0001", "bundle"),
        ("..", "trained/artifacts/sizes/models/0001/bundle"),
    ],
)
def test_a_name_a_pipeline_and_a_folder_with_a_model(
    trained: Path, monkeypatch: pytest.MonkeyPatch, here: str, given: str
) -> None:
    monkeypatch.delenv("FFN_ROOT", raising=False)
    monkeypatch.chdir(trained / here)
    assert said(ffn.load(given)) == ("sizes", 1)
    # A Path drops the dot of "./sizes", which then is a name.
    assert given == "./sizes" or said(ffn.load(Path(given))) == ("sizes", 1)


def test_the_root_is_the_argument_or_the_environment(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said(ffn.load("sizes", root=trained)) == ("sizes", 1)
    monkeypatch.setenv("FFN_ROOT", str(trained))
    assert said(ffn.load("sizes")) == ("sizes", 1)
    # The folder in the current one is what the name leads to: there is nothing to decide.
    monkeypatch.chdir(trained / "artifacts")
    assert said(ffn.load("sizes")) == ("sizes", 1)


def test_a_name_that_is_also_another_model_is_refused(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FFN_ROOT", raising=False)
    monkeypatch.chdir(trained)
    shutil.copytree("artifacts/sizes/models/0001/bundle", "sizes")
    with pytest.raises(ffn.FFNError, match=r'"sizes" is both a pipeline under data and') as found:
        ffn.load("sizes")
    pipelines, folder = re.findall(r"Give (\S+) for .*, or (\S+) for", str(found.value))[0]
    assert said(ffn.load(pipelines)) == ("sizes", 1)
    # A bundle outside a registry has no number.
    assert said(ffn.load(folder)) == ("sizes", 0)
    assert said(ffn.load("sizes", root=".")) == ("sizes", 1)
    shutil.rmtree("sizes")
    Path("sizes").mkdir()
    assert said(ffn.load("sizes")) == ("sizes", 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("size", r'pipeline "size": no file .*Did you mean "sizes"\?'),
        ("../sizes", r"sizes: no model in production"),
        ("si\0zes", r"a path cannot contain NUL|pipeline name"),
        ("..\\sizes", r"pipeline name .*use 1 to 64 ASCII letters"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(
    trained: Path, monkeypatch: pytest.MonkeyPatch, given: str, message: str
) -> None:
    monkeypatch.delenv("FFN_ROOT", raising=False)
    monkeypatch.chdir(trained)
    with pytest.raises(ffn.FFNError, match=message) as found:
        ffn.load(given)
    assert "\n" not in str(found.value)


def test_a_model_and_a_result_print_as_one_line(trained: Path, tmp_path: Path) -> None:
    model = ffn.load("sizes", root=trained)
    assert repr(model) == str(model)
    assert repr(model) == ('<Model of sizes, version 1: 2 features, 2 classes ("large", "small")>')
    result = model.score_csv(trained / "data/sizes/inbox/b.csv", tmp_path / "b.csv")
    assert repr(result) == (
        f"<ScoreResult of sizes, version 1: 30 of 31 rows scored into {tmp_path}/b.csv>"
    )


def test_a_notebook_completes_names_before_they_are_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import ffn, sys; print(*dir(ffn)); assert 'numpy' not in sys.modules",
        ],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"FFNClassifier", "Model", "load", "retrain", "score"} <= set(done.stdout.split())
