"""A column of dates through a whole retraining: what is learnt of it, said of it and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import BundleError, DataError, SettingsError
from ffn.evaluation.importance import permutation_importance
from ffn.leakage.findings import LabelFollowsTime
from ffn.leakage.leaks import find_leaks
from ffn.promotion.table_contract import compare_tables
from ffn.scoring.model import Model
from ffn.settings.drift_settings import ContractSettings
from ffn.tabular.encodings.date_parts import DatePart
from ffn.training import steps
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from tests.helpers.retrained import Run, made, run

QUICK = "[training]\nepochs = 8\nnetworks = 2\n[optimizers.adam]\nlearning_rate = 0.02\n"
FORMATS = '[data.formats]\nat = "iso"\npaid = "true/false"\n'


def rows(seed: int = 0) -> pd.DataFrame:
    """800 rows of three years; the label is the half of the day, but for one in ten."""
    rng = np.random.default_rng(seed)
    at = pd.Series(pd.Timestamp("2023-05-01") + pd.to_timedelta(rng.integers(1096, size=800), "D"))
    at += pd.to_timedelta(rng.integers(24 * 60, size=800), "min")
    late = (at.dt.hour >= 12) ^ (rng.random(800) < 0.1)
    return pd.DataFrame(
        {
            "at": at.dt.strftime("%Y-%m-%d %H:%M"),
            "paid": np.where(rng.random(800) < 0.5, "yes", "No"),
            "x": rng.normal(size=800).round(3),
            "y": np.where(late, "pm", "am"),
        }
    )


def trained(folder: Path, table: pd.DataFrame, toml: str = "") -> Run:
    return run(made(folder, table.to_csv(index=False), QUICK + FORMATS + toml))


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("dated"), rows())


def test_the_time_of_day_is_learnt(dated: Run) -> None:
    # Nine in ten is the best; without the date one in two is.
    assert dated.evaluation.accuracy.low > 0.7
    (notice,) = dated.prepared.notices
    assert notice == (
        'the inputs of column "at" are the time passed, the year, the season, the weekday and the '
        "time of day of its dates"
    )


def test_within_two_years_rows_to_come_are_what_they_would_have_been(tmp_path: Path) -> None:
    table = rows()
    at = pd.to_datetime(table["at"])
    within = table[at < at.min() + pd.Timedelta(days=300)]
    done = trained(tmp_path, within)
    assert done.prepared.notices == (
        'the inputs of column "at" are the weekday and the time of day of its dates, not the time '
        "passed: within two years it cannot be told from the season",
    )
    # The same weekday and hour five years later: nothing else of a date is known to the model.
    model = Model(done.refitted.bundle)
    known = within.drop(columns="y").iloc[:40]
    later = known.assign(
        at=(pd.to_datetime(known["at"]) + pd.Timedelta(weeks=260)).dt.strftime("%Y-%m-%d %H:%M")
    )
    np.testing.assert_array_equal(model.predict_proba(later), model.predict_proba(known))


def test_dates_that_tell_nothing_but_the_time_passed_are_left_out(tmp_path: Path) -> None:
    table = rows()
    # Mondays of half a year: neither the weekday nor the hour says anything, and no season is told.
    mondays = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(800) % 26, "W")
    table.insert(0, "week", mondays.strftime("%Y-%m-%d"))
    done = trained(tmp_path, table, 'week = "iso"\n')
    assert "week" not in {feature.name for feature in done.prepared.schema.features}
    assert done.prepared.notices[0] == (
        'dates that tell nothing but the time passed in the training rows, and are left out: "week"'
    )
    (tmp_path / "alone").mkdir()
    alone = made(
        tmp_path / "alone",
        table[["week", "y"]].to_csv(index=False),
        QUICK + '[data.formats]\nweek = "iso"\n',
    )
    with pytest.raises(DataError, match="or has dates that tell nothing but the time passed"):
        run(alone)


def test_importance_is_that_of_the_raw_column(dated: Run) -> None:
    prepared = dated.prepared
    importance = permutation_importance(
        dated.refitted.bundle, prepared.x_test, prepared.labels_test, seed=1
    )
    assert {feature.name for feature in importance.features} == {"at", "paid", "x"}
    assert importance.features[0].name == "at"
    assert importance.features[0].accuracy.low > 0.2


def test_a_bundle_keeps_what_was_learnt(dated: Run, tmp_path: Path) -> None:
    bundle = dated.refitted.bundle
    write_bundle(bundle, tmp_path)
    assert b'"format": 2' in (tmp_path / "manifest.json").read_bytes()
    again = read_bundle(tmp_path)
    assert again.schema == bundle.schema
    numeric, codes = np.array([[1.7e9, 1.0, 0.5], [np.nan, 0.0, 1.0]]), np.empty((2, 0), int)
    np.testing.assert_array_equal(
        again.preparation.transform(numeric, codes), bundle.preparation.transform(numeric, codes)
    )


@pytest.mark.parametrize("parts", [[0], [1, 1], [1, 99], []])
def test_a_bundle_with_other_parts_is_refused(dated: Run, tmp_path: Path, parts: list[int]) -> None:
    bundle = dated.refitted.bundle
    derived = bundle.preparation.derived
    assert derived is not None
    changed = np.array([*parts, 0, 0], dtype=np.int64)
    forged = replace(derived, derived_parts=changed)
    write_bundle(replace(bundle, preparation=replace(bundle.preparation, derived=forged)), tmp_path)
    with pytest.raises(BundleError, match=r"the parts do not fit together \(derived_parts is"):
        read_bundle(tmp_path)


def test_rows_split_by_dates_learn_no_trend(tmp_path: Path) -> None:
    table = rows()
    shipped = pd.to_datetime(table["at"]) + pd.Timedelta(days=2)
    table.insert(1, "shipped", shipped.dt.strftime("%d/%m/%Y"))
    birth = pd.Timestamp("1960-01-01") + pd.to_timedelta(np.arange(800) * 37 % 9000, "D")
    table.insert(2, "born", birth.strftime("%Y-%m-%d"))
    more = 'shipped = "%d/%m/%Y"\nborn = "iso"\n[split]\ntime = "at"\n'
    done = trained(tmp_path, table, more)
    schema, derived = done.prepared.schema, done.prepared.preparation.derived
    assert derived is not None
    parts = {
        feature.name: {
            DatePart(part) for part in derived.derived_parts[derived.derived_owners == f]
        }
        for f, feature in enumerate(schema.numeric)
    }
    trend = {DatePart.ELAPSED, DatePart.YEAR}
    # A shipping date moves with the time that splits the rows; a birthday does not.
    assert {name for name, own in parts.items() if own & trend} == {"born"}
    assert DatePart.DAY_SINE in parts["at"]
    assert DatePart.WEEK_SINE in parts["shipped"]
    told = [notice for notice in done.prepared.notices if "not the time passed" in notice]
    assert [notice.split('"')[1] for notice in told] == ["at", "shipped"]
    bins = {
        feature.name: len(own.counts)
        for feature, own in zip(schema.numeric, done.prepared.reference.numeric, strict=True)
    }
    assert bins["at"] == bins["shipped"] == 1
    assert bins["born"] > 5


def test_a_wrong_cell_refuses_the_table(tmp_path: Path) -> None:
    for column, cell, message in (
        (
            "at",
            "31.01.2025",
            r'row 5 \(line 6\), column "at": "31\.01\.2025" is not a date such as',
        ),
        ("at", "2025-01-31 10:00Z", r"without a time zone \(data\.formats\), and the column holds"),
        ("paid", "maybe", r'"maybe" is not true or false, .* and the column holds truth values'),
    ):
        table = rows()
        table.loc[4, column] = cell
        (tmp_path / cell).mkdir()
        pipeline = made(tmp_path / cell, table.to_csv(index=False), QUICK + FORMATS)
        with pytest.raises(DataError, match=message):
            steps.load(pipeline)


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ('at = "%d/%m"', r'"data\.formats\.at" is "%d/%m"; it must be "iso", "iso utc" for times'),
        ('at = "%Y-%d-%m"', r"this one would read 2001-02-03 as another date than ISO 8601"),
        ('at = "dates"', r'must be 1234\.5 as the column writes it, .*; or, for dates, "iso"'),
        ("at = 5", r'"data\.formats\.at" is 5; it must be text in quotes'),
        ('when = "iso"', r"data\.formats names \"when\", which is not a feature"),
        ('y = "iso"', r"data\.formats names \"y\", which is not a feature"),
    ],
)
def test_wrong_forms_are_refused(tmp_path: Path, formats: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(made(tmp_path, rows().to_csv(index=False), f"{QUICK}[data.formats]\n{formats}\n"))


def test_a_label_made_of_the_date_is_told(tmp_path: Path) -> None:
    """A date that is a feature is looked at as one that is none is."""
    table = rows().sort_values("at")
    # Three in a hundred are otherwise: too many for a column that tells the label by itself.
    noise = np.random.default_rng(3).random(800) < 0.03
    table["y"] = np.where((np.arange(800) // 200 % 2 == 1) ^ noise, "pm", "am")
    pipeline = made(tmp_path, table.to_csv(index=False), QUICK + FORMATS)
    dataset = load(pipeline)
    training = split(dataset, pipeline).training
    found = find_leaks(dataset, training, pipeline.source, pipeline.settings.data, 42)
    assert [leak.column for leak in found if isinstance(leak, LabelFollowsTime)] == ["at"]


def test_a_column_that_becomes_dates_is_a_changed_kind(dated: Run) -> None:
    before = dated.prepared
    numbers = replace(before.schema.features[0], format=None)
    now = replace(before.schema, features=(numbers, *before.schema.features[1:]))
    changes = list(
        compare_tables(now, before.schema, before.reference, before.reference, ContractSettings())
    )
    assert [(change.kind, change.text) for change in changes] == [
        ("changed_kinds", 'column "at" had numbers and has dates without a time zone')
    ]


def test_cells_are_shown_as_dates(tmp_path: Path) -> None:
    table = rows()
    dataset = load(made(tmp_path, table.to_csv(index=False), QUICK + FORMATS))
    shown = dataset.cells(3)
    assert pd.Timestamp(shown["at"]) == pd.Timestamp(table["at"][3])
    assert shown["paid"] == ("True" if table["paid"][3] == "yes" else "False")


def test_dates_that_no_format_declares_are_told(tmp_path: Path) -> None:
    table = rows()
    table["day"] = pd.to_datetime(table["at"]).dt.strftime("%m/%d/%Y")
    pipeline = made(tmp_path, table.drop(columns="at").to_csv(index=False), QUICK)
    message = (
        r'"day": \d+ different texts .* Cells such as "[0-9/]+" are dates: to read them, add day'
    )
    with pytest.raises(DataError, match=rf'{message} = "%m/%d/%Y" under \[data\.formats\]'):
        load(pipeline)
    table["day"] = table["day"].str[:3] + "05/2024"
    few = made(tmp_path, table.drop(columns="at").to_csv(index=False), QUICK)
    (notice,) = load(few).notices
    assert notice == (
        'column "day" is read as 12 categories. It has dates that may be meant otherwise: '
        '"01/05/2024" is 2024-05-01 or 2024-01-05: to read them, add day = "%d/%m/%Y" or '
        'day = "%m/%d/%Y" under [data.formats]'
    )
