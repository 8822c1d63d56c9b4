"""Folders that lead elsewhere, names that mean something, and files of others."""

import json
import os

import pytest

from ffn.errors import DataError, OutputError
from tests.helpers.scorers import TenthsScorer
from tests.scoring.partitioned.lakes import LAKE, content, published, rejects_of, score, write_lake


@pytest.fixture
def lake(tmp_path):
    return write_lake(tmp_path / "lake", LAKE)


def test_links_in_the_input_are_refused(lake, tmp_path):
    secret = write_lake(tmp_path / "elsewhere", {"part-0.csv": "id,size\n1,2\n"})
    (lake / "colour=green").symlink_to(secret)
    with pytest.raises(DataError, match=r"colour=green is a link, which may lead out"):
        score(lake, tmp_path / "scored")
    (lake / "colour=green").unlink()
    (lake / "colour=red/part-7.csv").symlink_to(secret / "part-0.csv")
    with pytest.raises(DataError, match=r"part-7.csv is a link"):
        score(lake, tmp_path / "scored")
    assert not published(tmp_path / "scored")


def test_links_in_the_output_are_not_followed(lake, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored/colour=red").symlink_to(elsewhere)
    with pytest.raises(DataError, match=r"does not belong to this output"):
        score(lake, tmp_path / "scored")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "value"),
    [
        ("colour=a%2F..%2F..%2Fb", "a/../../b"),
        ("colour=..", ".."),
        ('colour="; drop,table', '"; drop,table'),
        ("colour=a%0Ab", "a\nb"),
        ("colour=%E2%82%AC=", "€="),
    ],
)
def test_names_of_folders_are_values_and_never_paths(lake, tmp_path, folder, value):
    write_lake(lake, {f"{folder}/part-0.csv": "id,size\n1,7\n2,\n"})
    result = score(lake, tmp_path / "scored", on_unknown="reject")
    assert result.rejected == 5
    inside = tmp_path / f"scored/{folder}/part-0.csv"
    assert inside.read_text() == "id,size,predicted_kind,confidence\n"
    told = [r for r in rejects_of(tmp_path / "scored") if r["file"] == f"{folder}/part-0.csv"]
    assert [(r["row"], r["column"], r["value"]) for r in told] == [
        ("1", "colour", value),
        ("2", "size", ""),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {
        "lake", "scored", "scored.manifest.json", "scored.rejects.csv", ".scored.ffn-stamps",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["colour=%FF", "colour=a%00b"])
def test_a_name_that_is_no_text_is_refused(lake, tmp_path, name):
    write_lake(lake, {f"{name}/part-0.csv": "id,size\n1,7\n"})
    with pytest.raises(DataError, match=r"does not stand for a text in UTF-8. Rename the folder"):
        score(lake, tmp_path / "scored")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_of_file_and_folder_is_refused(lake, tmp_path, form):
    write_lake(lake, {"colour=red/part-3.csv": "id,size,colour\n1,7,blue\n"})
    with pytest.raises(DataError, match=r'has a column "colour", which its folders name, too'):
        score(lake, tmp_path / "scored", partitioned=form)


def test_folders_that_name_other_columns_are_refused(lake, tmp_path):
    write_lake(lake, {"day=1/part-0.csv": "id,size\n1,7\n"})
    with pytest.raises(DataError, match=r'name the columns "day", and those of .* "colour"'):
        score(lake, tmp_path / "scored")


def test_a_partition_named_like_a_prediction_is_refused(tmp_path):
    lake = write_lake(tmp_path / "lake", {"predicted_kind=x/a.csv": "size,colour\n1,red\n"})
    with pytest.raises(DataError, match=r'already has a column "predicted_kind"'):
        score(lake, tmp_path / "scored")


def test_two_inputs_of_one_output_are_refused(lake, tmp_path):
    write_lake(lake, {"colour=red/part-0.parquet": "PAR1"})
    with pytest.raises(DataError, match=r'would both be written to "colour=red/part-0.parquet"'):
        score(lake, tmp_path / "scored", partitioned="parquet")


@pytest.mark.parametrize("where", ["lake", "lake/scored", ".", "lake/colour=red"])
def test_input_and_output_are_apart(lake, tmp_path, where):
    with pytest.raises(DataError, match=r"are one inside the other"):
        score(lake, (tmp_path / where).resolve())
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}


def test_files_of_others_are_not_mixed_with_ours(lake, tmp_path):
    write_lake(tmp_path / "scored", {"colour=red/other.csv": "x"})
    with pytest.raises(DataError, match=r"other.csv does not belong to this output"):
        score(lake, tmp_path / "scored")


def test_an_output_of_another_input_is_refused(lake, tmp_path):
    score(lake, tmp_path / "scored")
    before = published(tmp_path / "scored")
    other = write_lake(tmp_path / "other", LAKE)
    with pytest.raises(DataError, match=r"holds what was scored of .*lake"):
        score(other, tmp_path / "scored")
    assert published(tmp_path / "scored") == before


def test_an_output_that_cannot_be_written_is_one_line(lake, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"cannot be written"):
        score(lake, tmp_path / "file/scored")
    with pytest.raises(DataError, match=r"is a link or a file. Give a folder"):
        score(lake, tmp_path / "file")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["parts"][0].update(name="../lake/colour=red/part-0.csv"),
        lambda m: m["parts"][0].update(name="/etc/passwd"),
        lambda m: m["parts"][0].update(columns=99),
        lambda m: m["parts"][0]["output"].update(bytes="many"),
        lambda m: m.pop("parts"),
        lambda m: m.update(parts=[1]),
    ],
)
def test_a_forged_manifest_is_none(lake, tmp_path, change):
    score(lake, tmp_path / "scored")
    expected, inputs = content(tmp_path / "scored"), published(lake)
    path = tmp_path / "scored.manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    path.write_text(json.dumps(manifest))
    assert score(lake, tmp_path / "scored").parts.kept == 0
    assert content(tmp_path / "scored") == expected
    assert published(lake) == inputs


def test_formulas_are_escaped_in_names_of_files(tmp_path):
    lake = write_lake(tmp_path / "lake", {"=cmd.csv": "size,colour\nx,red\n1,red\n"})
    score(lake, tmp_path / "scored", escape_formulas=True)
    assert [r["file"] for r in rejects_of(tmp_path / "scored")] == ["'=cmd.csv"]
    write_lake(lake, {"more.csv": "size,colour\n1,red\n"})
    score(lake, tmp_path / "scored", escape_formulas=True)
    assert [r["file"] for r in rejects_of(tmp_path / "scored")] == ["'=cmd.csv"]


def test_a_file_that_changes_while_it_is_read_is_refused(lake, tmp_path):
    class Writing(TenthsScorer):
        def probabilities(self, x):
            with (lake / "colour=red/part-0.csv").open("a") as file:
                file.write("1,2\n")
            return super().probabilities(x)

    with pytest.raises(DataError, match=r"part-0.csv changed while it was read"):
        score(lake, tmp_path / "scored", Writing())
    assert not published(tmp_path / "scored")
    os.truncate(lake / "colour=red/part-0.csv", len(LAKE["colour=red/part-0.csv"]))
    score(lake, tmp_path / "scored")
