"""Rows whose labels are joined by an id are judged by weights and groups, too, and by slices."""

from __future__ import annotations

import csv
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.record.delivery import Delivery
from ffn.monitoring.record.outcome_record import changing_record
from ffn.scoring.judged.group_figures import GroupFigures, KnownGroups
from ffn.scoring.judged.table_figures import TableEvaluation
from ffn.settings.pipeline import find_pipeline
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from tests.monitoring.conftest import SETTINGS, labels, rows, scored

WEIGHTED = SETTINGS.replace(
    'exclude = ["id"]',
    'exclude = ["id"]\nweight = "people"\nlabels = { "A" = "a" }\n\n[split]\ngroup = "home"\n',
).replace("epochs = 20", "epochs = 5")
# A class that the table writes in another way.
WRITTEN = {"a": "A"}


def frame(n: int, seed: int, *, first: int) -> pd.DataFrame:
    """Rows with weights, in homes of four, and with labels as the table writes them."""
    numbers = random.Random(seed)
    table = pd.DataFrame(rows(n, seed, first=first, noise=0.3), columns=["id", "p", "q", "y"])
    table["y"] = [WRITTEN.get(label, label) for label in table["y"]]
    table["people"] = [numbers.choice([0.5, 1.0, 6.0]) for _ in range(n)]
    table["home"] = [f"home {(first + i) // 4}" for i in range(n)]
    return table


@pytest.fixture(scope="module")
def _weighted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weighted") / "root"
    folder = root / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(WEIGHTED)
    frame(400, 1, first=0).to_csv(folder / "train.csv", index=False)
    ffn.retrain("flow", root=root)
    return root


@pytest.fixture
def weighted(_weighted: Path, tmp_path: Path) -> Path:
    """A root with a version that was trained with weights and groups."""
    return Path(shutil.copytree(_weighted, tmp_path / "root"))


def judged(root: Path, table: pd.DataFrame, given: str, joined: str, **options: object) -> Delivery:
    """Score some columns of the rows, then evaluate others, and return what became of them."""
    table[given.split()].to_csv(root / "new.csv", index=False)
    ffn.score("flow", root / "new.csv", root=root, **options)
    table[joined.split()].to_csv(root / "labels.csv", index=False)
    (delivery,) = ffn.evaluate("flow", root / "labels.csv", root=root).deliveries
    return delivery


@pytest.mark.parametrize(
    ("given", "joined", "options"),
    [
        ("id p q people home", "id y", {}),
        ("id p q home", "id y people", {}),
        ("p q id", "people y home id", {}),
        # What was scored is still there.
        ("id p q people home", "id y", {"only_id": "id"}),
    ],
)
def test_the_figures_are_those_of_the_whole_table(
    weighted: Path, given: str, joined: str, options: dict[str, object]
) -> None:
    table = frame(200, 2, first=1000)
    delivery = judged(weighted, table, given, joined, **options)
    assert delivery.notices == []
    found = delivery.figures
    assert found is not None
    model = ffn.load(weighted / "artifacts/flow")
    expected = model.evaluate(table)
    assert found.to_json() == expected.to_json()
    assert found.slices == expected.slices
    # And as NumPy counts them.
    right = model.predict(table[["p", "q"]]) == table["y"].str.lower()
    assert found.accuracy.value == pytest.approx(np.average(right, weights=table["people"]))
    assert (found.evaluated, found.groups) == (200, 50)
    assert delivery.told_of_figures[0].startswith(
        "The rows of these labels alone that version 1 had scored, 200 rows, of 50 groups (by "
        "weight as many as "
    )
    assert delivery.told_of_figures[-1].startswith("Of 8 slices of at least 30 ")


def test_rows_of_known_groups_are_told_from_those_of_new_ones(weighted: Path) -> None:
    """Known are those that the split trained on; held-out groups are new, as to the networks."""
    table = frame(280, 4, first=1000)
    table["home"] = [f"home {i // 2}" for i in range(280)]
    pipeline = find_pipeline("flow", weighted)
    dataset = load(pipeline)
    division = split(dataset, pipeline)
    trained = pd.read_csv(pipeline.source)["home"][division.training].unique()
    assert 60 < len(trained) < 100
    delivery = judged(weighted, table, "id p q people home", "id y")
    assert delivery.figures is not None
    found = delivery.figures.known_groups
    assert found is not None
    model = ffn.load(weighted / "artifacts/flow")
    assert model.evaluate(table).known_groups == found
    right = model.predict(table[["p", "q"]]) == table["y"].str.lower()
    known = table["home"].isin(trained)
    for one, rows_of_it in ((found.known, known), (found.new, ~known)):
        assert one is not None
        own = table[rows_of_it]
        assert (one.groups, one.rows) == (own["home"].nunique(), len(own))
        assert one.accuracy.value == pytest.approx(
            np.average(right[rows_of_it], weights=own["people"])
        )
    shares = [table["people"][part].sum() for part in (known, ~known)]
    losses = [one.log_loss.value for one in (found.known, found.new) if one]
    assert np.average(losses, weights=shares) == pytest.approx(delivery.figures.log_loss.value)
    assert str(found) in delivery.told_of_figures
    assert delivery.to_json()["figures"]["known_groups"]["new"]["rows"] == int((~known).sum())


def test_without_the_kept_table_nobody_knows_which_groups_are_new(weighted: Path) -> None:
    for path in (weighted / "artifacts/flow/training-data").iterdir():
        path.unlink()
    delivery = judged(weighted, frame(40, 4, first=1000), "id p q people home", "id y")
    assert delivery.figures is not None
    assert delivery.figures.known_groups is None
    (notice,) = delivery.figures.notices
    assert notice.startswith("Whether groups are new to the version is not known: ")
    assert notice.endswith("is missing.")


def test_groups_are_told_in_words() -> None:
    one, half = Interval(0.5, 0.25, 0.75), Interval(0.25, 0.125, 1.5)
    known = GroupFigures(groups=1, rows=2, accuracy=one, log_loss=half)
    new = GroupFigures(groups=3, rows=1000, accuracy=half, log_loss=one)
    assert str(KnownGroups(known=known, new=new)) == (
        "By whether training knew the group: 2 rows of 1 known group, accuracy 0.500 (0.250 to "
        "0.750), log-loss 0.250 (0.125 to 1.500); 1,000 rows of 3 new groups, accuracy 0.250 "
        "(0.125 to 1.500), log-loss 0.500 (0.250 to 0.750)."
    )
    assert str(KnownGroups(known=known, new=None)) == "The only group is known to the version."
    assert str(KnownGroups(known=None, new=new)) == "All 3 groups are new to the version."


def test_columns_that_neither_file_has_are_said(weighted: Path) -> None:
    delivery = judged(weighted, frame(60, 3, first=1000), "id p q", "id y")
    assert delivery.figures is not None
    assert [notice.split(",")[0] for notice in delivery.figures.notices] == [
        'The table lacks "people"',
        'The table lacks "home"',
    ]


def test_rows_without_weights_are_judged_alike_and_searched_for_slices(root: Path) -> None:
    found = rows(200, 5, first=1000)
    output = scored(root, found)
    (delivery,) = ffn.evaluate("flow", labels(root, found), root=root).deliveries
    with output.open(newline="") as file:
        told = {row["id"]: row["predicted_y"] for row in csv.DictReader(file)}
    assert delivery.figures is not None
    right = np.mean([told[one] == label for one, *_, label in found])
    assert delivery.figures.accuracy.value == pytest.approx(right)
    assert delivery.figures.slices is not None
    assert delivery.to_json()["figures"]["evaluated"] == 200
    # The same labels again, with more: of this file, and not only of what is new in it.
    (delivery,) = ffn.evaluate("flow", labels(root, found[:80]), root=root).deliveries
    assert (delivery.joined, delivery.known) == (0, 80)
    assert delivery.figures is not None
    assert delivery.figures.evaluated == 80


def test_what_is_no_longer_there_is_said(root: Path) -> None:
    found = rows(120, 6, first=1000)
    scored(root, found[:70], "first.csv")
    gone = scored(root, found[70:], "second.csv")
    assert ffn.evaluate("flow", root=root).refusals == {}
    gone.unlink()
    (root / "second.csv").unlink()
    (delivery,) = ffn.evaluate("flow", labels(root, found[:100]), root=root).deliveries
    assert delivery.joined == 100
    assert delivery.figures is not None
    assert delivery.figures.evaluated == 70
    (notice,) = delivery.notices
    assert "second.csv" in notice
    # With its manifest.
    for path in gone.parent.glob("second.csv.*"):
        path.unlink()
    (delivery,) = ffn.evaluate("flow", labels(root, found), root=root).deliveries
    assert delivery.joined == 20
    (notice,) = delivery.notices
    assert notice.startswith("50 rows of these labels are not in the figures by weights, groups ")


def test_an_output_without_features_whose_input_changed_is_said(root: Path) -> None:
    found = rows(40, 7, first=1000)
    scored(root, found, only_id="id")
    with (root / "new.csv").open("a") as file:
        file.write("r9,1,1\n")
    (delivery,) = ffn.evaluate("flow", labels(root, found), root=root).deliveries
    assert (delivery.joined, delivery.figures) == (40, None)
    (notice,) = delivery.notices
    assert 'lacks columns that training reads: "p", "q"' in notice
    assert "not in the figures by weights, groups and slices" in notice
    assert "\n" not in notice


def test_a_changed_output_is_not_judged(root: Path) -> None:
    found = rows(40, 8, first=1000)
    output = scored(root, found)
    assert ffn.evaluate("flow", root=root).refusals == {}
    before = output.stat()
    output.write_text(output.read_text().replace("r1000,", "r1000 ,"))
    os.utime(output, (before.st_atime, before.st_mtime))
    (root / "new.csv").unlink()
    (delivery,) = ffn.evaluate("flow", labels(root, found), root=root).deliveries
    assert (delivery.joined, delivery.figures) == (40, None)
    assert "was changed since it was scored" in delivery.notices[0]


def test_the_figures_are_of_the_version_that_had_scored_most(root: Path) -> None:
    found = rows(120, 9, first=1000)
    scored(root, found[:50], "first.csv")
    scored(root, found[50:], "second.csv")
    with changing_record(root / "artifacts/flow") as record:
        other = record.model_code(7, "of another version")
        record.connection.execute(
            "UPDATE scorings SET model = ? WHERE name = 'first.csv'", (other,)
        )
    (delivery,) = ffn.evaluate("flow", labels(root, found), root=root).deliveries
    assert delivery.figures is not None
    assert (delivery.figures.version, delivery.figures.evaluated) == (1, 70)
    assert delivery.notices == [
        "The figures by weights, groups and slices are of version 1 alone; 50 rows had been "
        "scored by other versions."
    ]


def test_the_sentence_is_made_of_the_figures() -> None:
    one = Interval(0.5, 0.25, 0.75)
    figures = TableEvaluation(
        pipeline="flow", version=3, rows=9, evaluated=8, left_out={}, accuracy=one,
        balanced_accuracy=one, macro_f1=one, log_loss=one, brier=one, auc=one, classes=(),
        confusions=(), notices=(),
    )  # fmt: skip
    told = "8 rows: accuracy 0.500 (0.250 to 0.750), "
    joined = Delivery(name="l", sha256="", figures=figures).told_of_figures
    assert joined[0].startswith(f"The rows of these labels alone that version 3 had scored, {told}")
    at_once = Delivery(name="l", sha256="", figures=figures, at_once=3).told_of_figures
    assert at_once[0].startswith(f"This table alone, {told}")
