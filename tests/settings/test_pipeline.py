from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import SettingsError
from ffn.settings.pipeline import check_name, find_pipeline, pipeline_names

TOML = '[data]\nsource = "train.csv"\ntarget = "species"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("iris", "penguins"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        (folder / "pipeline.toml").write_text(TOML)
    return tmp_path


def test_a_name_is_a_folder_under_data(root: Path) -> None:
    found = find_pipeline("iris", root)
    assert found.name == "iris"
    assert found.source == root / "data" / "iris" / "train.csv"
    assert found.artifacts == root / "artifacts" / "iris"
    assert found.predictions == root / "artifacts" / "iris" / "predictions"
    assert found.export == root / "artifacts" / "iris" / "best_iris_model.pkl"
    assert pipeline_names(root) == ["iris", "penguins"]


@pytest.mark.parametrize(
    "which",
    ["data/iris", "data/iris/", "./data/iris", "data/iris/pipeline.toml", "data/../data/iris"],
)
def test_a_path_is_a_pipeline_too(root: Path, monkeypatch, which: str) -> None:
    monkeypatch.chdir(root)
    found = find_pipeline(which, Path("elsewhere"))
    assert (found.name, found.folder) == ("iris", root / "data" / "iris")
    assert found.artifacts == Path("elsewhere/artifacts/iris")


@pytest.mark.parametrize(("which", "folder"), [(".", "iris"), ("..", "data"), ("../iris", "iris")])
def test_dots_are_resolved_to_a_name(root: Path, monkeypatch, which: str, folder: str) -> None:
    monkeypatch.chdir(root / "data" / "iris")
    (root / "data" / "pipeline.toml").write_text(TOML)
    assert find_pipeline(which, root).name == folder


def test_the_name_asked_for_is_kept_wherever_a_link_leads(root: Path) -> None:
    (root / "data" / "flowers").symlink_to(root / "data" / "iris")
    found = find_pipeline("flowers", root)
    assert (found.name, found.artifacts) == ("flowers", root / "artifacts" / "flowers")


def test_a_name_that_is_not_there_is_told_with_the_near_one(root: Path) -> None:
    with pytest.raises(SettingsError, match=r'"irsi": no file .*Known: iris, penguins\. Did'):
        find_pipeline("irsi", root)
    with pytest.raises(
        SettingsError, match=r"There are no pipelines\. Make one with: ffn init irsi"
    ):
        find_pipeline("irsi", root / "elsewhere")


BAD_NAMES = [
    "",
    " ",
    "-x",
    "_x",
    "a b",
    "a.b",
    "né",
    "\uff11",
    "x" * 65,
    "a\n",
    "*",
    "a\\b",
    "~",
    "a\0",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_none(root: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"pipeline name .*use 1 to 64 ASCII letters, digits"):
        check_name(name)
    with pytest.raises(SettingsError, match=r"pipeline "):
        find_pipeline(name, root)


@given(st.text(max_size=12) | st.sampled_from(["../x", "a/b", "/", "//", "../..", "./.", "/tmp"]))
def test_no_name_leaves_the_artifacts(which: str) -> None:
    root = Path("/nowhere/at/all")
    try:
        name = check_name(which)
    except SettingsError:
        with pytest.raises(SettingsError, match=r"pipeline|cannot be read"):
            find_pipeline(which, root)
    else:
        assert (root / "artifacts" / name).resolve().parent == root / "artifacts"


def test_a_path_gives_its_folders_name_and_a_folder_that_is_no_name_is_refused(root: Path) -> None:
    folder = root / "data" / "my flowers"
    folder.mkdir()
    (folder / "pipeline.toml").write_text(TOML)
    with pytest.raises(SettingsError, match='pipeline name "my flowers": use 1 to 64'):
        find_pipeline(str(folder), root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r'"data" is missing'),
        (b"[data\n", r"not valid TOML: .*line 1"),
        (b"a = 1\na = 2\n", r"not valid TOML: Cannot overwrite a value"),
        (b"\xff\xfea", r"line 1 has the byte 0xFF, which is not UTF-8\. Save it as"),
        (b"a = 1\n# caf\xe9\n", r"line 2 has the byte 0xE9, which is not UTF-8\. Save it as"),
        (b"a = " + b"[" * 100_000, r"not valid TOML: nested too deeply"),
        (b"a = " + b"1" * 5_000, r"not valid TOML: Exceeds the limit"),
        (b"#" * 5_000_000, r"longer than 4,194,304 bytes, so not a settings file"),
        (TOML.encode() + b"[extra]\n", r'unknown key "extra"'),
    ],
)
def test_a_file_that_is_no_settings(root: Path, content: bytes, message: str) -> None:
    (root / "data" / "iris" / "pipeline.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"iris/pipeline\.toml: " + message) as refusal:
        find_pipeline("iris", root)
    assert str(refusal.value).isprintable()


def test_a_byte_order_mark_is_no_fault(root: Path) -> None:
    (root / "data" / "iris" / "pipeline.toml").write_bytes(b"\xef\xbb\xbf" + TOML.encode())
    assert find_pipeline("iris", root).settings.data.target == "species"


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("nowhere/", r"nowhere/pipeline\.toml: cannot be read \(No such file"),
        ("other.toml", r"other\.toml: cannot be read \(No such file"),
        ("pipe.toml", r"pipe\.toml: cannot be read \(a pipe, not a plain file\)"),
        ("folder.toml", r"folder\.toml: cannot be read \(Is a directory"),
        ("loop/", r"cannot be read \(Too many levels of symbolic links\)"),
        ("a\0/b", r'pipeline "a\\x00/b": a path cannot contain NUL'),
    ],
)
def test_a_path_that_cannot_be_read(root: Path, monkeypatch, which: str, message: str) -> None:
    monkeypatch.chdir(root)
    (root / "folder.toml").mkdir()
    os.mkfifo(root / "pipe.toml")
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(SettingsError, match=message):
        find_pipeline(which, root)


def test_another_folder_of_a_name_that_is_taken_is_refused(root: Path) -> None:
    other = root / "elsewhere" / "iris"
    other.mkdir(parents=True)
    (other / "pipeline.toml").write_text(TOML)
    with pytest.raises(
        SettingsError,
        match=r"elsewhere/iris: .*data/iris is another pipeline of the same name.* Rename",
    ):
        find_pipeline(str(other), root)
    assert find_pipeline(str(root / "data" / "iris"), root).name == "iris"
    (root / "data" / "iris" / "pipeline.toml").unlink()
    assert find_pipeline(str(other), root).folder == other
