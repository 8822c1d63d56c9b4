"""``split.test``: the user's own held-out rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.errors import DataError, SettingsError
from ffn.promotion.champion import unchanged_since
from ffn.training import steps
from tests.helpers.retrained import prepare, run
from tests.helpers.splitting import lines, pipeline


def test_the_file_of_held_out_rows_judges_alone(tmp_path: Path) -> None:
    mine = lines(40, seed=5)
    mine[3] = mine[3].rpartition(",")[0] + ","
    (tmp_path / "mine.csv").write_text("when,who,p,q,y\n" + "\n".join(mine) + "\n")
    found = pipeline(tmp_path, 'test = "mine.csv"')
    dataset = steps.load(found)
    division = steps.split(dataset, found)
    assert (dataset.rows, dataset.test_rows, dataset.unlabelled) == (279, 39, 1)
    assert_array_equal(division.held_out, np.arange(279) >= 240)
    assert_array_equal(division.training, np.arange(279) < 240)
    cells = [line.split(",") for line in [*lines(), *mine[:3], *mine[4:]]]
    assert dataset.numeric["p"].tolist() == [float(cell[2]) for cell in cells]
    assert dataset.file_of(239) == "t.csv"
    assert dataset.file_of(240) == "mine.csv"
    assert [dataset.row_in_file(row) for row in (0, 239, 240, 242, 243, 278)] == [
        1,
        240,
        1,
        3,
        5,
        40,
    ]
    sentence = 'rows are split as given by "mine.csv": trained on 240 rows, judged by 39 rows'
    assert prepare(found).notices[0] == sentence


def test_rows_without_a_label_are_left_out_of_both_files(tmp_path: Path) -> None:
    """The second file has no label text that the first has not."""
    own, mine = lines(), lines(40, seed=5)
    for some in (own, mine):
        some[3] = some[3].rpartition(",")[0] + ","
    (tmp_path / "mine.csv").write_text("when,who,p,q,y\n" + "\n".join(mine) + "\n")
    found = pipeline(tmp_path, 'test = "mine.csv"')
    (tmp_path / "t.csv").write_text("when,who,p,q,y\n" + "\n".join(own) + "\n")
    dataset = steps.load(found)
    assert (dataset.rows, dataset.test_rows, dataset.unlabelled) == (278, 39, 2)
    labels = [line.rpartition(",")[2] for line in [*own, *mine]]
    assert [dataset.classes[c] for c in dataset.labels] == [label for label in labels if label]
    assert dataset.labelled_rows().tolist() == [row != 3 for row in range(240)]
    assert dataset.labelled_rows(held_out=True).tolist() == [row != 3 for row in range(40)]
    steps.split(dataset, found)


def test_training_rows_of_the_groups_and_times_in_the_file_are_left_out(tmp_path: Path) -> None:
    mine = [line for line in lines() if line.split(",")[1] in {"C1", "C2"}]
    (tmp_path / "mine.csv").write_text("when,who,p,q,y\n" + "\n".join(mine) + "\n")
    found = pipeline(tmp_path, 'test = "mine.csv"\ngroup = "who"')
    division = steps.split(steps.load(found), found)
    assert division.neither == len(mine)
    assert division.training.sum() == 240 - len(mine)


def test_a_changed_file_of_held_out_rows_is_a_change_of_data(tmp_path: Path) -> None:
    text = "when,who,p,q,y\n" + "\n".join(lines(40, seed=5)) + "\n"
    (tmp_path / "mine.csv").write_text(text)
    found = pipeline(tmp_path, 'test = "mine.csv"')
    version = run(found).serialise()
    folder = found.artifacts / "models" / f"{version.number:04}"
    recorded = json.loads((folder / "provenance.json").read_text())
    dataset = steps.load(found)
    assert recorded["test_sha256"] == dataset.test_sha256
    assert recorded["split"]["test"] == "mine.csv"
    kept = replace(version.verdict, promote=False)
    (folder / "verdict.json").write_text(json.dumps({"promote": kept.promote}))
    same = unchanged_since(found, dataset.source_sha256, None, dataset.test_sha256)
    assert same == version.number
    (tmp_path / "mine.csv").write_text(text.replace("C1,", "C2,"))
    changed = steps.load(found)
    assert unchanged_since(found, changed.source_sha256, None, changed.test_sha256) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,who,p,y\n", r"column 4 is \"y\" and not \"q\""),
        ("when,who,p,q,y,z\n", r'column 6, "z", is one too many'),
        ("when,who,p,q\n", r'column 5, "y", is missing'),
        ("when,who,p,q,y\n2024-01-01,C1,1,2,\n", r"mine\.csv \(split\.test\): no row has a label"),
        (
            "when,who,p,q,y\n2024-01-01,C1,1,2,a\n2024-01-01,C1,x,2,a\n",
            r'mine\.csv row 2 \(line 3\), column "p": "x" is not a finite number',
        ),
    ],
)
def test_a_file_of_held_out_rows_is_held_to_the_same_rules(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "mine.csv").write_text(text if text.count("\n") > 1 else f"{text}1,2,3,4,5\n")
    with pytest.raises(DataError, match=message):
        steps.load(pipeline(tmp_path, 'test = "mine.csv"'))


def test_the_file_is_another_one_and_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'split\.test names "t\.csv", the file that data\.sou'):
        steps.load(pipeline(tmp_path, 'test = "t.csv"'))
    outside = tmp_path / "outside.csv"
    outside.write_text("when,who,p,q,y\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "mine.csv").symlink_to(outside)
    with pytest.raises(SettingsError, match=r"is a link out of .*Put the file there"):
        steps.load(pipeline(inner, 'test = "mine.csv"'))
    with pytest.raises(DataError, match=r"gone\.csv"):
        steps.load(pipeline(tmp_path, 'test = "gone.csv"'))
