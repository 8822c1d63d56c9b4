"""Files by name, by folder and by pattern, and where each goes."""

from pathlib import Path

import pytest

from ffn.errors import SettingsError
from ffn.scoring.inputs import expand_inputs, pair


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (
        "b.csv", "a.CSV", "c.tsv.gz", "d.parquet", "e.csv.zst", ".hidden.csv", "notes.txt", "f.gz",
        "b.csv.rejects.csv", "b.csv.manifest.json", "lone.csv.rejects.csv", "[x].csv",
        "deep/er/g.csv",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*given):
    return [str(path) for path in expand_inputs(map(Path, given))]


def test_a_folder_gives_its_tables(folder):
    tables = ["[x].csv", "a.CSV", "b.csv", "c.tsv.gz", "d.parquet", "e.csv.zst"]
    assert found(".") == [*tables, "lone.csv.rejects.csv"]
    assert found(folder / "deep" / "er") == [str(folder / "deep/er/g.csv")]


def test_a_pattern_gives_what_it_matches(folder):
    assert found("[ab].*") == ["a.CSV", "b.csv"]
    assert found(str(folder / "*.csv.z?t")) == [str(folder / "e.csv.zst")]
    assert found("**/g.csv") == ["deep/er/g.csv"]
    # A name that is there is that file, whatever it looks like.
    assert found("[x].csv") == ["[x].csv"]


def test_a_name_is_taken_whatever_it_is_and_whether_it_is_there(folder):
    names = ["notes.txt", "b.csv.rejects.csv", ".hidden.csv", "no.csv"]
    assert found(*names) == names


def test_each_file_is_taken_once(folder):
    (folder / "link.csv").symlink_to("b.csv")
    assert found("b.csv", "./b.csv", "link.csv", "b.*") == ["b.csv"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("deep", r"deep holds no table \(\.csv, \.tsv, \.tab, \.parquet\)\."),
        ("*.xls", r'no file matches "\*\.xls"\.'),
        ("deep/*", r'no file matches "deep/\*"\.'),
    ],
)
def test_what_gives_nothing_is_refused(folder, given, message):
    with pytest.raises(SettingsError, match=message):
        expand_inputs([Path(given)])


def test_outputs(folder):
    one, two, predictions = Path("one.csv"), Path("x/two.csv.gz"), Path("predictions")
    assert pair([one, two], None, predictions) == [
        (one, predictions / "one.csv"),
        (two, predictions / "two.csv"),
    ]
    assert pair([two], Path("out.csv"), predictions) == [(two, Path("out.csv"))]
    assert pair([two], Path("new"), predictions, folder=True) == [(two, Path("new/two.csv"))]
    assert pair([one, two], Path("deep"), predictions) == [
        (one, Path("deep/one.csv")),
        (two, Path("deep/two.csv")),
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a/s.csv", "b/s.csv"], r"a/s\.csv and b/s\.csv would both be written to out/s\.csv\."),
        (["s.csv", "s.csv.gz"], r"s\.csv and s\.csv\.gz would both be written to out/s\.csv\."),
        (["s.csv", "s.csv.rejects.csv"], r"both be written to out/s\.csv\.rejects\.csv\."),
    ],
)
def test_outputs_that_clash_are_refused(files, message):
    with pytest.raises(SettingsError, match=message):
        pair(list(map(Path, files)), Path("out"), Path("predictions"), folder=True)


def test_several_files_need_a_folder(folder):
    message = r"the output new is for a single file; 2 were given\. .* new/$"
    with pytest.raises(SettingsError, match=message):
        pair([Path("a"), Path("b")], Path("new"), Path("predictions"))
