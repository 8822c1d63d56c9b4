"""Retrainings under ``[split]``: what is read, which rows are where, and what is refused."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.errors import DataError, SettingsError
from ffn.pipelines.judging import column_texts
from ffn.promotion.champion import unchanged_since
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.hashing import text_digest
from ffn.tabular.training_table.class_counts import fold_of_rows
from ffn.training import steps
from ffn.training.resampling import candidate_resamples
from tests.helpers.retrained import made, prepare, run

QUICK = "[training]\nepochs = 8\nnetworks = 4\n[optimizers.adam]\nlearning_rate = 0.02\n"
DAY = datetime.timedelta(days=1)


def lines(n: int = 240, seed: int = 0) -> list[str]:
    """``when,who,p,q,y``: one row a day of thirty people, in random order."""
    rng = np.random.default_rng(seed)
    first = datetime.date(2024, 1, 1)
    rows = []
    for i in range(n):
        y = int(rng.integers(2))
        p, q = rng.normal(size=2) + np.array([2 * y, 0])
        rows.append(f"{first + i * DAY},C{rng.integers(30)},{p:.4f},{q:.4f},{'ab'[y]}")
    return [rows[i] for i in rng.permutation(n)]


def pipeline(
    folder: Path,
    split: str,
    rows: list[str] | None = None,
    *,
    data: str = 'exclude = ["when"]',
    toml: str = QUICK,
) -> Pipeline:
    table = "when,who,p,q,y\n" + "\n".join(lines() if rows is None else rows) + "\n"
    return made(folder, table, f"{toml}[split]\n{split}\n[data]\n{data}\n")


def days(found: Pipeline) -> np.ndarray:
    cells = column_texts(found, steps.load(found), "when")
    return np.array(cells, dtype="datetime64[D]")


def test_by_time_the_latest_rows_judge_and_the_columns_are_no_features(tmp_path: Path) -> None:
    found = pipeline(tmp_path, 'time = "when"\nembargo = "7d"')
    dataset = steps.load(found)
    division, when = steps.split(dataset, found), days(found)
    # 240 days from 2024-01-01, of which the last 48 judge, the 7 before them are in neither part.
    assert when[division.held_out].min() == np.datetime64("2024-07-11")
    assert division.held_out.sum() == 48
    assert when[division.training].max() == np.datetime64("2024-07-03")
    assert division.neither == 7
    assert dataset.order == ("who", "p", "q")
    prepared = prepare(found)
    assert prepared.notices[0] == (
        'rows are split by time "when": trained on 185 rows up to 2024-07-03, judged by 48 rows '
        "from 2024-07-11 on; 7 rows are in neither part (the embargo)"
    )
    train, validation = candidate_resamples(prepared.training, found.settings.training)
    own = when[division.training]
    for rows, judging in zip(train, validation, strict=True):
        assert own[judging].min() - own[rows].max() > np.timedelta64(7, "D")


def test_by_group_no_one_is_on_both_sides_of_anything(tmp_path: Path) -> None:
    found = pipeline(tmp_path, 'group = "who"')
    dataset, prepared = steps.load(found), prepare(found)
    division, who = steps.split(dataset, found), np.array(column_texts(found, dataset, "who"))
    assert not {*who[division.training]} & {*who[division.held_out]}
    assert division.neither == 0
    assert dataset.order == ("p", "q")
    assert_array_equal(dataset.group_ids, [text_digest(text) for text in who])
    train, validation = candidate_resamples(prepared.training, found.settings.training)
    own = who[division.training]
    for rows, judging in zip(train, validation, strict=True):
        assert not {*own[rows]} & {*own[judging]}
    assert_array_equal(prepared.training.units, dataset.group_ids[division.training])


def test_a_column_is_a_feature_if_the_settings_name_it(tmp_path: Path) -> None:
    data = 'features = ["who", "p"]\nkinds = {who = "categorical"}'
    assert steps.load(pipeline(tmp_path, 'group = "who"', data=data)).order == ("who", "p")


def test_what_data_says_of_a_column_that_is_no_feature_is_spared(tmp_path: Path) -> None:
    data = 'exclude = ["when", "q"]\nkinds = {who = "categorical"}'
    found = pipeline(tmp_path, 'group = "who"\ntime = "when"', data=data)
    dataset = steps.load(found)
    assert dataset.order == ("p",)
    assert (dataset.time, dataset.group, dataset.time_kind) == ("when", "who", "date")


def test_statistics_of_categories_are_cross_fitted_by_group(tmp_path: Path) -> None:
    """A person's town tells who it is: its statistics must not contain the person's labels."""
    rng = np.random.default_rng(1)
    people = rng.integers(60, size=600)
    label = rng.integers(2, size=60)
    table = [f"C{k},t{k // 4},{rng.random():.3f},{'ab'[label[k]]}" for k in people]
    text = "who,town,p,y\n" + "\n".join(table) + "\n"
    found = made(
        tmp_path, text, QUICK + '[split]\ngroup = "who"\n[features]\nmost_categories = 3\n'
    )
    dataset, prepared = steps.load(found), prepare(found)
    division = steps.split(dataset, found)
    towns, labels = dataset.categorical["town"], dataset.labels
    folds = fold_of_rows(np.asarray(dataset.group_ids))
    share = labels[division.training].mean()
    column = prepared.preparation.inputs_of_statistics()[0][0]
    for place, row in enumerate(np.flatnonzero(division.training)[:50]):
        others = division.training & (towns == towns[row]) & (folds != folds[row])
        p = (labels[others].sum() + 20 * share) / (others.sum() + 20)
        expected = np.log(p / (1 - p)) - np.log(share / (1 - share))
        assert prepared.x_train[place, column] == pytest.approx(expected, abs=1e-5)


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


def swapped(row: int, cell: int, text: str) -> list[str]:
    rows = lines()
    cells = rows[row].split(",")
    cells[cell] = text
    rows[row] = ",".join(cells)
    return rows


@pytest.mark.parametrize(
    ("split", "rows", "message"),
    [
        ('time = "wen"', None, r't\.csv has no column "wen", which split\.time names.*mean "when"'),
        ('group = "y"', None, r'split\.group names "y", which is the target'),
        ('group = "who"', swapped(7, 1, " "), r't\.csv row 8 \(line 9\), column "who": no group'),
        ('time = "when"', swapped(7, 0, "NA"), r'row 8 \(line 9\), column "when": no time, so it'),
        ('time = "when"', swapped(0, 0, "31/12/2024"), r'row 1 .*"31/12/2024" is no point in time'),
        ('time = "when"', swapped(9, 0, "2024"), r'"2024" is a number, and the times before it'),
        (
            'time = "when"',
            swapped(9, 0, "2024-05-01T00:00Z"),
            r'row 10 .*"2024-05-01T00:00Z" is a date with a time zone, and the times before it are '
            "each a date without",
        ),
        (
            'time = "when"\ntime_format = "%d/%m/%Y"',
            None,
            r'does not fit split\.time_format = "%d/%m/%Y"',
        ),
        ('time = "when"\nembargo = 7', None, r"holds dates, and split\.embargo is the number 7"),
        ('time = "p"\nembargo = "7d"', None, r"holds numbers, and split\.embargo is the duration"),
        (
            'time = "when"\nembargo = "300d"',
            None,
            r"no row is left to train on: the embargo covers",
        ),
        ('time = "when"\nembargo = "191d"', None, r"all rows to train on have the same time"),
    ],
)
def test_what_cannot_be_split_so_is_refused_in_a_line(
    tmp_path: Path, split: str, rows: list[str] | None, message: str
) -> None:
    found = pipeline(tmp_path, split, rows)
    with pytest.raises((DataError, SettingsError), match=message) as refused:
        steps.split(steps.load(found), found)
    assert "\n" not in str(refused.value)


def test_formats_that_fit_are_named(tmp_path: Path) -> None:
    rows = [
        f"{13 + i % 9}/0{1 + i % 7}/2024,{line.partition(',')[2]}" for i, line in enumerate(lines())
    ]
    with pytest.raises(DataError, match=r'set in \[split\]: time_format = "%d/%m/%Y"\.'):
        steps.load(pipeline(tmp_path, 'time = "when"', rows))
    found = pipeline(tmp_path, 'time = "when"\ntime_format = "%d/%m/%Y"', rows)
    assert steps.load(found).time_kind == "date"


def test_numbers_that_are_dates_have_no_embargo_in_numbers(tmp_path: Path) -> None:
    rows = [line.replace("-", "", 2) for line in lines()]
    message = r'set time_format = "%Y%m%d" in \[split\]'
    for embargo in ("7", '"7d"'):
        found = pipeline(tmp_path, f'time = "when"\nembargo = {embargo}', rows)
        with pytest.raises(SettingsError, match=message):
            steps.split(steps.load(found), found)


def test_a_class_that_only_the_latest_rows_have_is_refused(tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] + ",c" if line >= "2024-08-20" else line for line in lines()]
    message = r'column "y": no row to train on has the class "c"; its rows are held out or in nei'
    found = pipeline(tmp_path, 'time = "when"', rows)
    with pytest.raises(DataError, match=message):
        steps.split(steps.load(found), found)


def test_a_class_that_no_held_out_row_has_is_told(tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] + ",c" if line < "2024-01-20" else line for line in lines()]
    done = run(pipeline(tmp_path, 'time = "when"', rows))
    told = 'no held-out row has the class "c", so its recall is not measured'
    assert told in done.prepared.notices
    assert np.isnan(done.evaluation.classes[2].recall.value)
    assert done.evaluation.classes[2].rows == 0


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
