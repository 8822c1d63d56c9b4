"""``ffn.retrain`` and ``ffn.score`` do what the command line does, byte for byte."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import ffn
from ffn.pipelines.batch_scoring import options_for
from ffn.registry.run_log import journal
from ffn.scoring.rows.options import Options
from ffn.settings.pipeline import find_pipeline
from tests.helpers.command_line import environment, run_here
from tests.pipelines.conftest import rows

DIRECT = ("--direct", "--json", "--root")
# Prefect and the command line cannot be imported; what is scored and trained is told.
SCRIPT = """
import sys
sys.modules.update(dict.fromkeys(["prefect", "flows"]))
import ffn
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"numpy", "pydantic", "scipy", "sklearn", "pandas", "matplotlib"}, loaded
folder = sys.argv[1]
print(ffn.retrain(folder))
print(ffn.score(folder))
print(ffn.retrain(folder))
"""


def contents(folder: Path, root: Path | None = None) -> dict[str, bytes]:
    """The files of a folder; where they name ``root``, without it."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert found
    return {name: text.replace(bytes(root), b"") if root else text for name, text in found.items()}


def test_a_fresh_process_elsewhere_writes_what_the_command_line_does(
    untrained: Path, trained: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, untrained / "data/sizes"],
        cwd=elsewhere,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    promoted, scored, unchanged = done.stdout.splitlines()
    assert promoted == "Version 1 is promoted: no version was in production."
    assert scored == "2 files scored with version 1: 50 of 51 rows."
    assert unchanged.startswith("sizes: data, settings and code equal those of version 1;")
    assert list(elsewhere.iterdir()) == []
    assert run_here(("score", "sizes", *DIRECT, trained)) == 0
    for written in ("models/0001/bundle", "predictions"):
        ours, theirs = (
            contents(root / "artifacts/sizes" / written, root) for root in (untrained, trained)
        )
        assert ours == theirs
    told = journal(untrained / "artifacts/sizes")
    assert [entry.text for entry in told] == [scored, promoted]


@pytest.mark.parametrize("workers", [1, 2])
def test_options_and_outputs_are_those_of_the_command_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    inputs = [trained / "data/sizes/inbox/a.csv", f"{trained}/data/sizes/inbox/[b-z].csv"]
    by_command, by_call = tmp_path / "by_command", tmp_path / "by_call"
    more = ("--output", f"{by_command}/", "--probabilities", "--only-id", "colour")
    assert run_here(("score", "sizes", *DIRECT, trained, *inputs, *more)) == 0
    told = json.loads(capsys.readouterr().out)
    outcome = ffn.score(
        "sizes",
        *inputs,
        root=trained,
        output=f"{by_call}/",
        probabilities=True,
        only_id="colour",
        workers=workers,
    )
    assert contents(by_call) == contents(by_command)
    said = outcome.to_json()
    assert {k: v for k, v in said.items() if k not in {"output", "files"}} == {
        k: v for k, v in told.items() if k not in {"output", "files"}
    }
    header = (by_call / "a.csv").read_text().partition("\n")[0]
    assert header == "colour,predicted_kind,confidence,probability_large,probability_small"


def test_the_settings_of_the_pipeline_hold_where_nothing_else_is_asked_for(trained: Path) -> None:
    toml = trained / "data/sizes/pipeline.toml"
    toml.write_text(toml.read_text() + "[scoring]\nmax_reject_rate = 0.01\n")
    with pytest.raises(ffn.FilesRefusedError, match=r"1 of 2 files refused: .*b\.csv"):
        ffn.score("sizes", root=trained)
    assert ffn.score("sizes", root=trained, max_reject_rate=0.5).refusals == []


def test_what_a_notebook_shows_is_one_sentence(trained: Path) -> None:
    outcome = ffn.score("sizes", root=trained)
    assert repr(outcome) == "<ScoreOutcome of sizes: 2 files scored with version 1: 50 of 51 rows.>"


def test_a_refused_file_does_not_keep_the_others(trained: Path, tmp_path: Path) -> None:
    inbox = trained / "data/sizes/inbox"
    (tmp_path / "bad.csv").write_text("colour\nred\n")
    for workers in (1, 2):
        with pytest.raises(ffn.FilesRefusedError, match=r"1 of 2 files refused: .*bad\.csv") as e:
            ffn.score("sizes", tmp_path / "bad.csv", inbox / "a.csv", root=trained, workers=workers)
        assert "\n" not in str(e.value)
        assert [result.rows for result in e.value.outcome.results] == [20]
        assert [refusal.source.name for refusal in e.value.outcome.refusals] == ["bad.csv"]


def test_of_the_inbox_only_what_is_new_if_that_is_asked_for(trained: Path) -> None:
    assert [r.rows for r in ffn.score("sizes", root=trained, new=True).results] == [20, 31]
    assert ffn.score("sizes", root=trained, new=True).results == []
    (trained / "data/sizes/inbox/c.csv").write_text(rows(7, 3))
    assert [r.rows for r in ffn.score("sizes", root=trained, new=True).results] == [7]


def test_an_unknown_category_is_warned_of_at_the_call(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "green.csv").write_text(rows(5, 4, colours="green"))
    with pytest.warns(ffn.UnknownCategoryWarning, match=r'column "colour", such as "green"') as got:
        ffn.score("sizes", tmp_path / "green.csv", root=trained)
    assert [warning.filename for warning in got] == [__file__]


@pytest.mark.parametrize(
    ("inputs", "asked", "message"),
    [
        ((), {"probabilites": True}, r'no option "probabilites"\. Did you mean "probabilities"\?'),
        ((), {"workers": 0}, r"workers is 0; give a whole number from 1 up\."),
        ((), {"probabilities": "no"}, r'probabilities is "no"; give True or False\.'),
        ((), {"max_reject_rate": "0.1"}, r'max_reject_rate is "0\.1"; give a share from 0 to 1\.'),
        ((), {"delimiter": 1}, r'delimiter is "1"; give a text\.'),
        ((), {"workers": True}, r'workers is "True"; give a whole number'),
        ((), {"max_reject_rate": 2}, r"max_reject_rate is 2; give a share from 0 to 1\."),
        (("a.csv",), {"new": True}, r"new=True is for the inbox"),
        ((), {"new": True, "output": "x/"}, r"new=True is for the inbox"),
        ((), {"output": "one.csv"}, r"the output one\.csv is for a single file; 2 were given\."),
        (("*.xls",), {}, r'no file matches "\*\.xls"'),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(
    trained: Path, inputs: tuple[str, ...], asked: dict[str, object], message: str
) -> None:
    with pytest.raises(ffn.FFNError, match=message) as found:
        ffn.score("sizes", *inputs, root=trained, **asked)  # type: ignore[arg-type]
    assert "\n" not in str(found.value)
    assert not (trained / "artifacts/sizes/predictions").exists()


@pytest.mark.parametrize("call", [ffn.retrain, ffn.score])
def test_a_pipeline_that_is_not_there_is_refused(call, untrained: Path) -> None:
    with pytest.raises(ffn.FFNError, match=r'pipeline "size": no file .* Did you mean "sizes"\?'):
        call("size", root=untrained)
    with pytest.raises(ffn.FFNError, match=r'the root ".*nowhere" is not a folder\.'):
        call("sizes", root=untrained / "nowhere")


@pytest.mark.parametrize(
    ("here", "pipeline"),
    [
        (".", "sizes"),
        (".", "data/sizes"),
        (".", "./data/../data/sizes/"),
        (".", "data/sizes/pipeline.toml"),
        ("data", "./sizes"),
        ("data/sizes", "."),
        ("data/sizes", "pipeline.toml"),
        ("data/sizes/inbox", ".."),
        ("..", "trained/data/sizes"),
        ("..", "link"),
        ("..", "link/pipeline.toml"),
    ],
)
def test_the_root_is_the_folder_that_has_the_data(
    trained: Path, monkeypatch: pytest.MonkeyPatch, here: str, pipeline: str
) -> None:
    link = trained.parent / "link"
    link.symlink_to(trained / "data/sizes")
    monkeypatch.chdir(trained / here)
    if pipeline == "link":
        pipeline = str(link)
    (result,) = ffn.score(pipeline, trained / "data/sizes/inbox/a.csv").results
    assert result.output == trained / "artifacts/sizes/predictions/a.csv"


def test_a_linked_pipeline_is_that_of_the_root_it_is_linked_into(
    trained: Path, tmp_path: Path
) -> None:
    # All pipelines of a shop may be kept in a repository of their own.
    shutil.move(trained / "data/sizes", tmp_path / "sizes")
    (trained / "data/sizes").symlink_to(tmp_path / "sizes")
    outcome = ffn.score(trained / "data/sizes")
    assert outcome.results[0].output.parent == trained / "artifacts/sizes/predictions"


def test_the_environment_names_the_root_of_a_name(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFN_ROOT", str(trained))
    # Where the current folder lies has no say.
    (tmp_path / "data/elsewhere").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data/elsewhere")
    assert len(ffn.score("sizes").results) == 2


def test_every_option_of_scoring_can_be_asked_for(trained: Path) -> None:
    found = find_pipeline("sizes", trained)
    asked = asdict(Options(encoding="utf-8", only_id="size")) | {"workers": 2, "force": True}
    assert options_for(found, **asked) == asked


def test_a_table_in_memory_is_shown_the_way(trained: Path) -> None:
    with pytest.raises(ffn.FFNError, match=r"an input is of the type list, not a path\."):
        ffn.score("sizes", ["a.csv", "b.csv"], root=trained)  # type: ignore[arg-type]


def test_a_notebook_completes_the_public_names() -> None:
    assert set(ffn.__all__) <= set(dir(ffn))
    for name in ffn.__all__:
        assert getattr(ffn, name) is not None
    with pytest.raises(AttributeError, match=re.escape("module 'ffn' has no attribute 'retrian'")):
        ffn.retrian  # type: ignore[attr-defined]  # noqa: B018
