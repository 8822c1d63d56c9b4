"""A second run of the same folder: what holds is kept, and what does not is said."""

import shutil

import pytest

from ffn.errors import DataError
from tests.helpers.scorers import TenthsScorer
from tests.scoring.partitioned.lakes import LAKE, content, manifest_of, published, score, write_lake


@pytest.fixture
def lake(tmp_path):
    return write_lake(tmp_path / "lake", LAKE)


def test_only_new_and_changed_parts_are_scored(lake, tmp_path):
    output = tmp_path / "scored"
    first = score(lake, output)
    assert (first.parts.new, first.parts.changed, first.parts.kept) == (4, 0, 0)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.csv")}
    again = score(lake, output)
    assert again.unchanged
    assert (again.parts.new, again.parts.changed, again.parts.kept) == (0, 0, 4)
    assert (again.rows, again.class_counts) == (first.rows, first.class_counts)

    write_lake(lake, {"colour=red/part-9.csv": "id,size\n7,8\n8,y\n"})
    write_lake(lake, {"colour=red/part-1.csv": "id,size\n3,4\n"})
    third = score(lake, output)
    assert not third.unchanged
    assert (third.parts.new, third.parts.changed, third.parts.kept) == (1, 1, 3)
    assert (third.rows, third.scored, third.rejected) == (9, 5, 4)
    after = {path: path.stat().st_mtime_ns for path in output.rglob("*.csv")}
    touched = {str(path.relative_to(output)) for path in after if after[path] != before.get(path)}
    assert touched == {"colour=red/part-1.csv", "colour=red/part-9.csv"}

    # What was done in steps is what is done at once.
    score(lake, tmp_path / "at once/scored")
    assert content(output) == content(tmp_path / "at once/scored")


def test_a_file_that_is_only_newer_is_not_scored_again(lake, tmp_path):
    score(lake, tmp_path / "scored")
    for path in lake.rglob("*.csv"):
        path.write_bytes(path.read_bytes())
    assert score(lake, tmp_path / "scored").unchanged


@pytest.mark.parametrize("stamps", [True, False])
def test_an_output_that_was_changed_is_written_again(lake, tmp_path, stamps):
    score(lake, tmp_path / "scored")
    expected = content(tmp_path / "scored")
    (tmp_path / "scored/colour=red/part-0.csv").write_bytes(b"damaged")
    (tmp_path / "scored/colour=red/part-1.csv").unlink()
    if not stamps:
        (tmp_path / ".scored.ffn-stamps").unlink()
    assert score(lake, tmp_path / "scored").parts.changed == 2
    assert content(tmp_path / "scored") == expected


def test_rejects_that_were_changed_are_written_again(lake, tmp_path):
    score(lake, tmp_path / "scored")
    expected = content(tmp_path / "scored")
    (tmp_path / "scored.rejects.csv").write_text("damaged")
    write_lake(lake, {"colour=red/part-1.csv": "id,size\n3,4\n"})
    score(lake, tmp_path / "scored")
    write_lake(lake, {"colour=red/part-1.csv": LAKE["colour=red/part-1.csv"]})
    score(lake, tmp_path / "scored")
    assert content(tmp_path / "scored") == expected


def test_another_model_or_other_options_score_everything(lake, tmp_path):
    score(lake, tmp_path / "scored")
    other = score(lake, tmp_path / "scored", TenthsScorer(version=8, sha256="cd" * 32))
    assert (other.parts.changed, other.parts.kept) == (4, 0)
    wide = score(lake, tmp_path / "scored", probabilities=True)
    assert (wide.parts.changed, wide.parts.kept) == (4, 0)
    assert score(lake, tmp_path / "scored", probabilities=True, force=True).parts.changed == 4


def test_a_vanished_part_stays_and_is_said(lake, tmp_path):
    score(lake, tmp_path / "scored")
    before, _ = content(tmp_path / "scored")
    shutil.rmtree(lake / "colour=red")
    result = score(lake, tmp_path / "scored")
    assert result.parts.vanished == ("colour=red/part-0.csv", "colour=red/part-1.csv")
    assert "The input is gone of" in result.parts.sentence()
    assert (result.rows, result.rejected) == (7, 3)
    after = published(tmp_path / "scored")
    assert {n: c for n, c in after.items() if "manifest" not in n} == {
        n: c for n, c in before.items() if "manifest" not in n
    }
    gone = [
        part["name"] for part in manifest_of(tmp_path / "scored")["parts"] if "vanished" in part
    ]
    assert gone == list(result.parts.vanished)
    assert score(lake, tmp_path / "scored").unchanged

    # Whoever deletes the output has it no more.
    (tmp_path / "scored/colour=red/part-0.csv").unlink()
    assert score(lake, tmp_path / "scored").parts.vanished == ("colour=red/part-1.csv",)
    assert manifest_of(tmp_path / "scored")["rows"] == 5
    # The labels of another version are not this one's.
    score(lake, tmp_path / "scored", TenthsScorer(version=8, sha256="cd" * 32))
    by = [
        part.get("scored_by", {}).get("model_version")
        for part in manifest_of(tmp_path / "scored")["parts"]
    ]
    assert by == [None, None, 7]


def test_a_vanished_part_that_comes_back_is_scored(lake, tmp_path):
    score(lake, tmp_path / "scored")
    expected = content(tmp_path / "scored")
    shutil.move(lake / "colour=red", tmp_path / "aside")
    score(lake, tmp_path / "scored")
    shutil.move(tmp_path / "aside", lake / "colour=red")
    assert score(lake, tmp_path / "scored").parts.changed == 2
    assert content(tmp_path / "scored") == expected


def test_parts_in_another_format_take_the_place_of_the_first(lake, tmp_path):
    score(lake, tmp_path / "scored", partitioned="csv")
    found = score(lake, tmp_path / "scored", partitioned="parquet")
    assert (found.rows, found.parts.vanished) == (7, ())
    score(lake, tmp_path / "at once/scored", partitioned="parquet")
    assert content(tmp_path / "scored") == content(tmp_path / "at once/scored")


def test_rejects_that_are_gone_are_written_again_without_a_new_part(tmp_path):
    clean = write_lake(tmp_path / "clean", {"colour=red/a.csv": "id,size\n1,7\n"})
    score(clean, tmp_path / "scored")
    rejects = tmp_path / "scored.rejects.csv"
    before = rejects.read_bytes()
    rejects.unlink()
    assert not score(clean, tmp_path / "scored").unchanged
    assert rejects.read_bytes() == before
    assert score(clean, tmp_path / "scored").unchanged


TWO = "id,size,colour\n1,7,red\n2,3,red\n"


def test_a_pattern_does_not_read_its_own_output(tmp_path):
    plain = write_lake(tmp_path / "plain", {"a.csv": TWO, "b/a.csv": TWO})
    for pattern in ("**/*.csv", "*.csv"):
        with pytest.raises(DataError, match="one inside the other"):
            score(plain / pattern, plain / "scored")
    # Of these the output is no input.
    for pattern in ("?.csv", "?/*.csv"):
        for _ in range(2):
            assert score(plain / pattern, plain / f"of {len(pattern)}").rows == 2
