"""Files of one month: compared with training rows of that month, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ffn.bundles.bundle import read_bundle
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.pipelines.retraining import retrain
from ffn.reports.score_rows import score_rows
from ffn.scoring.drift.drift_report import DriftReport
from ffn.scoring.drift.same_season import choose_reference
from ffn.scoring.rows.day_counts import DayCounts
from ffn.scoring.score_file import score_csv
from simulations.months import dated_reference, report_on_days
from tests.helpers.retrained import made

TOML = """
[training]
epochs = 5
networks = 2
[optimizers.adam]
learning_rate = 0.02
[split]
time = "when"
audit = "ignore"
"""
START = np.datetime64("2022-01-01")


def table(first: int, days: int, seed: int) -> pd.DataFrame:
    """Eight rows a day, whose temperature and town have a season of a year."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(first, first + days), 8)
    season = -np.cos(2 * np.pi * (day % 365.25 - 15) / 365.25)
    label = rng.integers(2, size=len(day))
    return pd.DataFrame(
        {
            "when": (START + day).astype(str),
            "temp": (10 + 12 * season + 2 * rng.normal(size=len(day))).round(2),
            "q": (2 * label + rng.normal(size=len(day))).round(2),
            "town": np.where(rng.random(len(day)) < 0.5 + 0.4 * season, "coast", "hill"),
            "y": np.where(label == 1, "a", "b"),
        }
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> RetrainOutcome:
    """Two years, of which the last 146 days are held out."""
    folder = tmp_path_factory.mktemp("seasons")
    found = retrain(made(folder, table(0, 730, 1).to_csv(index=False), TOML))
    assert isinstance(found, RetrainOutcome)
    return found


@pytest.fixture(scope="module")
def bundle(outcome: RetrainOutcome) -> Any:
    return read_bundle(outcome.version.bundle)


def scored(model: Any, rows: pd.DataFrame, folder: Path, **options: Any) -> Any:
    source = folder / "rows.csv"
    rows.drop(columns="y").to_csv(source, index=False)
    # An output of its own each time: the manifest of an equal run would be taken up.
    return score_csv(model, source, folder / f"{len([*folder.iterdir()])}.csv", **options)


# Days of the third year.
NOVEMBER, JULY = (1035, 30), (912, 31)


@pytest.mark.parametrize(("days", "name"), [(NOVEMBER, "November"), (JULY, "July")])
def test_a_month_is_compared_with_the_same_month(bundle, tmp_path, days, name) -> None:
    rows = table(*days, seed=2)
    found = scored(bundle, rows, tmp_path).drift
    assert found.judged
    assert not found.detected
    assert found.months == name
    assert found.compared.startswith(f"with the training rows of {name}")
    without = replace(bundle, reference=replace(bundle.reference, seasons=None))
    whole = scored(without, rows, tmp_path).drift
    assert "temp" in whole.drifted
    assert (whole.compared, whole.months) == ("", "")
    assert whole.sentence.startswith("unlike training: ")


def test_a_mistake_in_a_month_is_found_and_named(bundle, tmp_path) -> None:
    rows = table(*JULY, seed=3)
    rows["temp"] = (rows["temp"] * 10).round(1)
    found = scored(bundle, rows, tmp_path).drift
    assert found.drifted == ("temp",)
    assert found.sentence.startswith('unlike training rows of July: "temp" (PSI ')
    assert "10 times too large" in found.sentence


def test_rows_of_july_that_say_november_are_told(bundle, tmp_path) -> None:
    rows = table(*JULY, seed=4).assign(when="2024-11-10")
    found = scored(bundle, rows, tmp_path).drift
    assert "temp" in found.drifted


def test_without_dates_all_training_rows_are_compared_and_it_is_said(bundle, tmp_path) -> None:
    rows = table(*NOVEMBER, seed=5)
    found = scored(bundle, rows.drop(columns="when"), tmp_path).drift
    assert found.compared == 'with all training rows, because the file has no column "when"'
    assert found.detected
    assert found.sentence.endswith(f"(compared {found.compared})")
    found = scored(bundle, rows.assign(when="soon"), tmp_path).drift
    assert found.compared == (
        "with all training rows, because 240 rows have no date that can be read"
    )


def test_a_year_has_all_months_in_their_shares(bundle, tmp_path) -> None:
    found = scored(bundle, table(730, 365, 6), tmp_path).drift
    assert not found.detected
    assert found.months.startswith("January, February")


def test_a_month_that_training_lacks_is_compared_with_all_rows(tmp_path: Path) -> None:
    """Ten months, of which the last two are held out: none of November."""
    found = retrain(made(tmp_path, table(0, 300, 1).to_csv(index=False), TOML))
    assert isinstance(found, RetrainOutcome)
    model = read_bundle(found.version.bundle)
    report = scored(model, table(304, 30, 2), tmp_path).drift
    assert report.compared == "with all training rows, as these have none of November"
    assert report.detected


def test_csv_parquet_and_parts_say_the_same(bundle, tmp_path) -> None:
    rows = table(*NOVEMBER, seed=7)
    one = scored(bundle, rows, tmp_path)
    dated = rows.drop(columns="y").assign(when=pd.to_datetime(rows["when"]))
    dated.to_parquet(tmp_path / "rows.parquet")
    other = score_csv(bundle, tmp_path / "rows.parquet", tmp_path / "p.csv")
    assert one.drift == other.drift
    assert one.drift.months == "November"
    several = scored(bundle, rows, tmp_path, workers=2)
    assert several.drift == one.drift


def test_the_manifest_and_the_report_say_what_was_compared(bundle, tmp_path) -> None:
    found = scored(bundle, table(*NOVEMBER, seed=8), tmp_path)
    told = json.loads(found.manifest.read_bytes())["drift"]
    assert told["months"] == "November"
    assert DriftReport.from_json(told).compared == found.drift.compared
    assert "none (compared with the training rows of November" in str(score_rows([found], {}))


@pytest.mark.parametrize("kind", ["texts", "dates", "times"])
def test_a_date_that_is_a_feature_tells_the_season_in_parquet_too(
    tmp_path: Path, kind: str
) -> None:
    toml = TOML + '[data.formats]\nwhen = "iso"\n'
    found = retrain(made(tmp_path, table(0, 730, 1).to_csv(index=False), toml))
    assert isinstance(found, RetrainOutcome)
    model = read_bundle(found.version.bundle)
    assert "when" in [feature.name for feature in model.schema.features]
    rows = table(*JULY, seed=6)
    expected = scored(model, rows, tmp_path)
    assert expected.drift.months == "July"
    if kind != "texts":
        when = pd.to_datetime(rows["when"])
        rows["when"] = when.dt.date if kind == "dates" else when
    rows.drop(columns="y").to_parquet(tmp_path / "rows.parquet")
    for output in ("p.csv", "p.parquet"):
        other = score_csv(model, tmp_path / "rows.parquet", tmp_path / output)
        assert other.drift == expected.drift
        assert other.class_counts == expected.class_counts


def test_old_references_are_read_and_have_no_seasons(bundle) -> None:
    reference, schema = bundle.reference, bundle.schema
    value = reference.to_json()
    assert value["seasons"]["column"] == "when"
    again = type(reference).from_json(json.loads(json.dumps(value)), schema)
    assert again == reference
    del value["seasons"]
    old = type(reference).from_json(value, schema)
    assert old == replace(reference, seasons=None)
    assert "seasons" not in old.to_json()


def test_a_mixture_of_months_by_hand() -> None:
    """Three quarters January, where the column is 0, and one quarter July, where it is 10."""
    days = np.datetime64("2023-01-01").astype("datetime64[D]").astype(int) + np.arange(365)
    training = np.repeat(days, 4)
    month = training.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    rng = np.random.default_rng(0)
    values = np.where(month == 6, 10.0, 0.0) + rng.normal(size=len(month))
    reference = dated_reference(np.repeat(values[:, None], 4, axis=1), training)
    assert reference.seasons is not None
    counts = DayCounts(reference.seasons, 0)
    counts.rows = {int(days[3]): 75, int(days[190]): 25}
    found = choose_reference(reference, counts, with_predictions=False)
    assert found.months == "January and July"
    own = found.reference.numeric[0]
    # As many rows as say the same: 1 / (0.75² / 124 + 0.25² / 124), up to the rounding of bins.
    assert own.rows == pytest.approx(198.4, abs=6)
    assert own.mean == pytest.approx(2.5, abs=0.3)
    # Variance within, and between: 1 + 0.75 · 0.25 · 10².
    assert own.deviation == pytest.approx(np.sqrt(19.75), rel=0.05)
    # A stray row of another month changes nothing.
    counts.rows[int(days[40])] = 1
    assert choose_reference(reference, counts, with_predictions=False).months == found.months


@pytest.mark.parametrize(
    ("days", "of_each", "said"),
    [
        (70, 4, "as these are of too few weeks to tell how much weeks differ"),
        (365, 1, "as these have only 31 of January"),
        (6, 40, "as these have less than two weeks of January"),
    ],
)
def test_too_little_of_a_month_is_said(days: int, of_each: int, said: str) -> None:
    first = np.datetime64("2023-01-01").astype("datetime64[D]").astype(int)
    training = (first + np.arange(days)).repeat(of_each)
    rows = np.random.default_rng(0).normal(size=(len(training), 4))
    reference = dated_reference(rows, training)
    found = report_on_days(reference, rows[:40], np.full(40, int(first) + 366))
    assert found.compared == f"with all training rows, {said}"
    assert found.months == ""


def test_days_that_are_alike_in_themselves_raise_no_alarm() -> None:
    """Each day has one value; thirty days of hourly rows are thirty observations, not 720."""
    rng = np.random.default_rng(3)
    day = np.datetime64("2023-01-01").astype("datetime64[D]").astype(int) + np.arange(730)
    of_day = rng.normal(size=(730, 4))
    rows, days = of_day.repeat(24, axis=0), day.repeat(24)
    reference = dated_reference(rows[: 365 * 24], days[: 365 * 24])
    alarms = [
        report_on_days(reference, rows[some], days[some]).detected
        for some in np.array_split(np.arange(365 * 24, 730 * 24), 12)
    ]
    assert not any(alarms)
    assert report_on_days(replace(reference, seasons=None), rows[-720:], days[-720:]).detected
