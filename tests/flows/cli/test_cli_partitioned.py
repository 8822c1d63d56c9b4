"""``ffn score --partitioned``: a folder of partitions in, one of the same layout out."""

from __future__ import annotations

import json

import pytest

import ffn as product

DIRECT = ("--direct", "--root")


@pytest.fixture
def lake(trained, tmp_path):
    header, *rows = (trained / "data/iris/inbox/new_flowers.csv").read_text().splitlines()
    for day in range(3):
        folder = tmp_path / f"lake/day=2026-01-0{day + 1}"
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text("\n".join([header, *rows[day::3]]) + "\n")
    return tmp_path / "lake"


def test_a_second_run_scores_what_is_new(ffn, trained, lake, tmp_path):
    asked = ("score", "iris", lake, "--partitioned", "--output", tmp_path / "scored")
    done = ffn(*asked, *DIRECT, trained)
    assert (done.code, done.err) == (0, "")
    assert "12 of 12 rows scored" in done.out
    assert "Parts: 3 new." in done.out
    assert "Parts: 3 as before." in ffn(*asked, *DIRECT, trained).out
    (lake / "day=2026-01-04").mkdir()
    (lake / "day=2026-01-04/part-0.csv").write_bytes(
        (lake / "day=2026-01-01/part-0.csv").read_bytes()
    )
    found = json.loads(ffn(*asked, *DIRECT, trained, "--json").out)
    assert (found["rows"], found["scored"], found["rejected"]) == (16, 16, 0)
    assert found["output"] == str(tmp_path / "scored")
    (file,) = found["files"]
    assert file["parts"] == {"new": 1, "changed": 0, "kept": 3, "vanished": [], "empty": 0}


def test_python_and_the_default_output(trained, lake):
    outcome = product.score("iris", lake, root=trained, partitioned="parquet")
    (result,) = outcome.results
    assert result.output == trained / "artifacts/iris/predictions/lake"
    names = [path.name for path in result.output.rglob("*.parquet")]
    assert names == ["part-0.parquet"] * 3
    # What was scored in parts is none of the files that are looked through for outcomes.
    assert outcome.not_taken_up == ()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--new"], "--partitioned is for files"),
        (["--query"], "--partitioned is for files"),
        (["--output", "-", "a.csv"], "--partitioned is for files"),
        (["a", "b"], "of one folder, pattern or file; 2 were given"),
        ([], "of one folder, pattern or file; 0 were given"),
        (["-"], "standard input cannot be scored in parts"),
        (["nowhere"], "nowhere does not exist"),
        (["no*where"], "no file matches"),
    ],
)
def test_what_does_not_go_together_is_one_line(ffn, trained, more, told):
    done = ffn("score", "iris", *more, "--partitioned", *DIRECT, trained)
    assert told in done.refusal
