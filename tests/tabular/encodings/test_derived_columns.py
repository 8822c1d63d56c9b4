"""One raw column as several inputs, which stay one feature."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from ffn.storage.cache import Cache
from ffn.tabular.encodings.date_parts import CLOCK_PARTS, DatePart
from ffn.tabular.encodings.derived_columns import DerivedColumns, derive
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation

DAYS = pd.Series(pd.date_range("2024-01-01 06:00", periods=400, freq="45h"))
TRAIN = np.arange(0, 400, 2)


def read(folder: Path, **choice: object) -> Dataset:
    days = DAYS.dt.strftime("%Y-%m-%d %H:%M").where(DAYS.dt.day_of_week != 2, "")
    table = pd.DataFrame(
        {
            "size": np.arange(400.0),
            "day": days,
            "c": ["p", "p", "q", "q"] * 100,
            "y": ["u", "v", "v", "u"] * 100,
        }
    )
    table.to_csv(folder / "t.csv", index=False)
    options = {"missing_values": ("",), "kinds": {}, "formats": {"day": "iso"}} | choice
    return read_dataset(folder / "t.csv", Cache(folder / "cache"), Choice(target="y", **options))  # type: ignore[arg-type]


def parts_of_pandas() -> pd.DataFrame:
    """Of each row, NaN where the day is missing."""
    known = DAYS.where(DAYS.dt.day_of_week != 2)
    first = known[TRAIN].min()

    def wave(share: pd.Series, name: str) -> dict[str, pd.Series]:
        return {f"{name} s": np.sin(2 * np.pi * share), f"{name} c": np.cos(2 * np.pi * share)}

    return pd.DataFrame(
        {
            "elapsed": (known - first) / pd.Timedelta(days=1),
            "year": known.dt.year - first.year,
            **wave((known.dt.day_of_year - 1) / (365 + known.dt.is_leap_year), "season"),
            **wave(known.dt.day_of_week / 7, "week"),
            **wave(known.dt.hour / 24, "day"),
        }
    )


def test_a_date_becomes_standardised_parts_learnt_from_training_rows(tmp_path: Path) -> None:
    dataset = read(tmp_path)
    schema, _ = dataset.learn_schema(TRAIN)
    assert [feature.name for feature in schema.numeric] == ["size", "day"]
    preparation = fit_preparation(dataset, schema, TRAIN)
    found = preparation.transform(*dataset.arrays(schema), np.float64)
    parts = parts_of_pandas()
    numbers = parts.fillna(parts.iloc[TRAIN].median())
    numbers.insert(0, "size", np.arange(400.0))
    expected = StandardScaler().fit(numbers.iloc[TRAIN].to_numpy()).transform(numbers.to_numpy())
    np.testing.assert_allclose(found[:, :9], expected, atol=1e-9)
    # The indicator for "missing", and two categories.
    np.testing.assert_array_equal(found[:, 9], parts["year"].isna())
    assert preparation.n_inputs == 12
    assert preparation.inputs_of_features() == [[0], [*range(1, 9), 9], [10, 11]]
    assert preparation.n_numeric == 2


@pytest.mark.parametrize("bins", [None, 4])
def test_what_is_stored_prepares_alike(tmp_path: Path, bins: int | None) -> None:
    dataset = read(tmp_path)
    schema, _ = dataset.learn_schema(TRAIN)
    preparation = fit_preparation(dataset, schema, TRAIN, bins=bins)
    again = Preparation.of_arrays(preparation.to_arrays())
    numeric, codes = dataset.arrays(schema)
    first = preparation.transform(numeric, codes)
    np.testing.assert_array_equal(again.transform(numeric, codes), first)
    # A row does not depend on the others.
    np.testing.assert_array_equal(
        np.concatenate([again.transform(numeric[[i]], codes[[i]]) for i in range(40)]), first[:40]
    )
    places = preparation.inputs_of_features()
    assert sorted(chain(*places)) == list(range(preparation.n_inputs))
    assert not preparation.too_large(numeric).any()


def test_held_out_dates_change_nothing(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        dataset = read(folder)
        if name == "b":
            text = (folder / "t.csv").read_text().splitlines()
            text[2] = text[2].replace("2024", "2199")
            (folder / "t.csv").write_text("\n".join(text) + "\n")
            options = Choice(target="y", missing_values=("",), kinds={}, formats={"day": "iso"})
            dataset = read_dataset(folder / "t.csv", Cache(folder / "cache"), options)
        schema, _ = dataset.learn_schema(TRAIN)
        found.append(fit_preparation(dataset, schema, TRAIN, bins=8).to_arrays())
    assert found[0].keys() == found[1].keys()
    for key, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][key])


def test_a_column_that_splits_rows_has_no_trend(tmp_path: Path) -> None:
    days = DAYS.dt.strftime("%Y-%m-%d")
    table = pd.DataFrame({"day": days, "x": np.arange(400.0), "y": ["u", "v", "v", "u"] * 100})
    table.to_csv(tmp_path / "t.csv", index=False)
    choice = Choice(target="y", missing_values=("",), kinds={}, formats={"day": "iso"}, time="day")
    dataset = read_dataset(tmp_path / "t.csv", Cache(tmp_path / "cache"), choice)
    for rows, parts in (
        (np.arange(400), {3, 4, 5, 6}),
        # 150 days are no whole year.
        (np.arange(80), {5, 6}),
    ):
        schema, _ = dataset.learn_schema(rows)
        derived = fit_preparation(dataset, schema, rows).derived
        assert derived is not None
        assert set(derived.derived_parts[derived.derived_owners == 0].tolist()) == parts
    # Of four days nothing is left but the trend.
    schema, notices = dataset.learn_schema(np.arange(4))
    assert [feature.name for feature in schema.features] == ["x"]
    assert notices == [
        'dates that tell nothing but the time passed in the training rows, and are left out: "day"'
    ]


def test_one_date_and_gaps_are_the_gaps(tmp_path: Path) -> None:
    rows = "".join(f"{'2024-05-01' if i % 3 else ''},{i},{'uv'[i % 2]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"day,x,y\n{rows}")
    choice = Choice(target="y", missing_values=("",), kinds={}, formats={"day": "iso"})
    dataset = read_dataset(tmp_path / "t.csv", Cache(tmp_path / "cache"), choice)
    schema, _ = dataset.learn_schema(np.arange(60))
    preparation = fit_preparation(dataset, schema, np.arange(60))
    numeric, codes = dataset.arrays(schema)
    numeric[1, 0] = 4e9  # another date, of which no weight was learnt
    found = preparation.transform(numeric, codes)
    assert found.shape == (60, 3)
    assert not found[:, 0].any()
    np.testing.assert_array_equal(found[:, 2], np.arange(60) % 3 == 0)


def test_plain_columns_derive_nothing() -> None:
    assert derive([([DatePart.NUMBER], 0.0)] * 3) is None


GOOD = derive([([DatePart.NUMBER], 0.0), ([DatePart.ELAPSED, DatePart.YEAR], 5.0)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"derived_owners": [0, 2, 2]}, "owners"),
        ({"derived_owners": [1, 0, 1]}, "owners"),
        ({"derived_owners": [0, 0, 0]}, "owners"),
        ({"derived_parts": [1, 1, 2]}, r"feature 1 are \[1\]"),
        ({"derived_parts": [0, 0, 2]}, r"feature 2 are \[0, 2\]"),
        ({"derived_parts": [0, 2, 2]}, r"feature 2 are \[2, 2\]"),
        ({"derived_parts": [0, 1, 99]}, r"feature 2 are \[1, 99\]"),
        ({"derived_parts": [0, 1, -1]}, r"feature 2 are \[1, -1\]"),
    ],
)
def test_what_contradicts_itself_is_found(change: dict[str, list[int]], message: str) -> None:
    assert isinstance(GOOD, DerivedColumns)
    assert GOOD.problem([False, True], [False, False]) is None
    wrong = replace(GOOD, **{key: np.array(value) for key, value in change.items()})
    assert re.search(message, wrong.problem([False, True], [False, False]) or "")


@pytest.mark.parametrize("parts", [[0, 1, 8], [0, 7, 7], [3, 7, 8]])
def test_times_of_day_have_no_other_parts(parts: list[int]) -> None:
    good = derive([(CLOCK_PARTS, 0.0)])
    assert good is not None
    assert good.problem([False], [True]) is None
    wrong = replace(good, derived_parts=np.array(parts))
    assert re.search(r"feature 1 are \[", wrong.problem([False], [True]) or "")
    assert re.search(r"feature 1 are \[", good.problem([False], [False]) or "")


def test_a_time_of_day_is_a_number_and_a_place_on_a_circle(tmp_path: Path) -> None:
    """Midnight and the last minute of a day are neighbours; a gap is filled with medians."""
    minutes = np.arange(0, 1440, 7)
    cells = [f"{m // 60:02}:{m % 60:02}" if m % 5 else "" for m in minutes.tolist()]
    rows = "".join(f"{cell},{i},{'uv'[i % 2]}\n" for i, cell in enumerate(cells))
    (tmp_path / "t.csv").write_text(f"at,x,y\n{rows}")
    choice = Choice(target="y", missing_values=("",), kinds={}, formats={"at": "time"})
    dataset = read_dataset(tmp_path / "t.csv", Cache(tmp_path / "cache"), choice)
    everything = np.arange(len(cells))
    schema, _ = dataset.learn_schema(everything)
    assert (schema.numeric[0].minimum, schema.numeric[0].maximum) == (7 * 60, 1428 * 60)
    preparation = fit_preparation(dataset, schema, everything)
    found = preparation.transform(*dataset.arrays(schema))
    angle = 2 * np.pi * minutes / 1440
    parts = pd.DataFrame({"n": minutes * 60.0, "s": np.sin(angle), "c": np.cos(angle)})
    parts.loc[minutes % 5 == 0] = np.nan
    expected = StandardScaler().fit_transform(parts.fillna(parts.median()))
    np.testing.assert_allclose(found[:, :3], expected, atol=1e-5)
    np.testing.assert_array_equal(found[:, 4], minutes % 5 == 0)
