"""Retrainings under ``[split]``: what is read, which rows are where, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.errors import DataError, SettingsError
from ffn.pipelines.judging import column_texts, column_times
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.hashing import text_digest
from ffn.tabular.training_table.class_counts import fold_of_rows
from ffn.training import steps
from ffn.training.resampling import candidate_resamples
from tests.helpers.retrained import made, prepare, run
from tests.helpers.splitting import QUICK, lines, pipeline


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


def test_any_column_can_be_read_as_times(tmp_path: Path) -> None:
    """A backtest or an audit asks for columns that the settings do not name."""
    found = pipeline(tmp_path, 'time = "when"')
    dataset = steps.load(found)
    times, kind = column_times(found, dataset, "when")
    assert kind == dataset.time_kind == "date"
    assert_array_equal(times, dataset.times)
    numbers, kind = column_times(found, dataset, "p")
    assert kind == "number"
    assert_array_equal(numbers, dataset.numeric["p"])
    with pytest.raises(DataError, match=r't\.csv row 1, column "who": "C\d+" is no point in time'):
        column_times(found, dataset, "who")
    with pytest.raises(SettingsError, match=r'no column "whom".*Did you mean "who"'):
        column_times(found, dataset, "whom")


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
    # Sixty people in fifteen towns, "who" being no feature.
    assert any(
        notice
        == 'of the categories of column "town" (15 in the training rows) the most frequent have '
        "an input each, all others one together (features.most_categories)"
        for notice in prepared.notices
    )
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


def test_columns_with_pooled_categories_are_told_in_one_sentence(tmp_path: Path) -> None:
    table = [f"a{i % 5},b{i % 7},c{i % 9},d{i % 2},{i % 11},{'xy'[i % 2]}" for i in range(1260)]
    text = "a,b,c,d,p,y\n" + "\n".join(table) + "\n"
    found = made(tmp_path, text, QUICK + "[features]\nmost_categories = 3\n")
    told = [notice for notice in prepare(found).notices if "most_categories" in notice]
    assert told == [
        'of the categories of columns "a" (5 in the training rows), "b" (7) and "c" (9) the most '
        "frequent have an input each, all others one together (features.most_categories)"
    ]
