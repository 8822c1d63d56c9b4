"""A column of times of day through a whole retraining."""

from __future__ import annotations

import datetime
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import BundleError, DataError
from ffn.promotion.table_contract import compare_tables
from ffn.settings.drift_settings import ContractSettings
from ffn.tabular.encodings.date_parts import DatePart
from ffn.training import steps
from ffn.training.tables.loading import load
from tests.helpers.retrained import Run, made, run

QUICK = "[training]\nepochs = 8\nnetworks = 2\n[optimizers.adam]\nlearning_rate = 0.02\n"
FORMATS = '[data.formats]\nat = "time"\n'


def rows() -> pd.DataFrame:
    """800 rows; the label is night, from 21 to 5, but for one in ten."""
    rng = np.random.default_rng(4)
    minutes = rng.integers(24 * 60, size=800)
    night = ((minutes >= 21 * 60) | (minutes < 5 * 60)) ^ (rng.random(800) < 0.1)
    return pd.DataFrame(
        {
            "at": [f"{m // 60:02}:{m % 60:02}" for m in minutes.tolist()],
            "x": rng.normal(size=800).round(3),
            "y": np.where(night, "night", "day"),
        }
    )


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("timed")
    return run(made(folder, rows().to_csv(index=False), QUICK + FORMATS))


def test_hours_on_both_sides_of_midnight_are_learnt(timed: Run) -> None:
    # Nine in ten is the best; two in three without the time.
    assert timed.evaluation.accuracy.low > 0.75
    (notice,) = timed.prepared.notices
    assert notice == (
        'the inputs of column "at" are the time since midnight, and its sine and cosine in a '
        "circle of one day"
    )
    derived = timed.prepared.preparation.derived
    assert derived is not None
    parts = [DatePart.NUMBER, DatePart.DAY_SINE, DatePart.DAY_COSINE]
    assert derived.derived_parts.tolist() == [*parts, DatePart.NUMBER]


def test_a_bundle_keeps_what_was_learnt(timed: Run, tmp_path: Path) -> None:
    bundle = timed.refitted.bundle
    write_bundle(bundle, tmp_path / "a")
    again = read_bundle(tmp_path / "a")
    assert again.schema == bundle.schema
    numeric, codes = np.array([[30_600.0, 0.5], [np.nan, 1.0]]), np.empty((2, 0), int)
    np.testing.assert_array_equal(
        again.preparation.transform(numeric, codes), bundle.preparation.transform(numeric, codes)
    )
    derived = bundle.preparation.derived
    assert derived is not None
    forged = replace(derived, derived_parts=np.array([DatePart.ELAPSED, 7, 8, 0]))
    wrong = replace(bundle, preparation=replace(bundle.preparation, derived=forged))
    write_bundle(wrong, tmp_path / "b")
    with pytest.raises(BundleError, match=r"the parts of numeric feature 1 are \[1, 7, 8\]"):
        read_bundle(tmp_path / "b")


def test_a_table_gives_the_same_rows_from_every_source(tmp_path: Path) -> None:
    """Typed in Parquet, text in CSV and in a database."""
    table = rows()
    typed = table.assign(at=[datetime.time.fromisoformat(cell) for cell in table["at"]])
    typed.to_parquet(tmp_path / "t.parquet")
    with sqlite3.connect(tmp_path / "t.db") as database:
        table.to_sql("t", database, index=False)
    (tmp_path / "csv").mkdir()
    of_csv = load(made(tmp_path / "csv", table.to_csv(index=False), QUICK + FORMATS))
    expected = np.sort(of_csv.numeric["at"])
    for name, source in (
        ("parquet", f'source = "{tmp_path}/t.parquet"'),
        ("sql", f'source = "sqlite:///{tmp_path}/t.db"\nquery = "SELECT * FROM t"'),
    ):
        (tmp_path / name).mkdir()
        found = load(made(tmp_path / name, "", f"{QUICK}{FORMATS}[data]\n{source}\n"))
        np.testing.assert_array_equal(np.sort(found.numeric["at"]), expected)


def test_a_wrong_cell_refuses_the_table(tmp_path: Path) -> None:
    table = rows()
    table.loc[4, "at"] = "24:00"
    message = (
        r'row 5 \(line 6\), column "at": "24:00" is not a time of day such as "08:30" or .* '
        r"\(data\.formats\), and the column holds times of day"
    )
    with pytest.raises(DataError, match=message):
        steps.load(made(tmp_path, table.to_csv(index=False), QUICK + FORMATS))


def test_times_that_no_format_declares_are_told(tmp_path: Path) -> None:
    table = rows()
    table["at"] = table["at"].str[:2] + ":00"
    (notice,) = load(made(tmp_path, table.to_csv(index=False), QUICK)).notices
    assert notice == (
        'column "at" is read as 24 categories. Cells such as "'
        f'{table["at"][0]}" are times of day: to read them, add at = "time" under [data.formats]'
    )


def test_a_column_that_becomes_times_is_a_changed_kind(timed: Run) -> None:
    before = timed.prepared
    numbers = replace(before.schema.features[0], format=None)
    now = replace(before.schema, features=(numbers, *before.schema.features[1:]))
    changes = list(
        compare_tables(now, before.schema, before.reference, before.reference, ContractSettings())
    )
    assert [(change.kind, change.text) for change in changes] == [
        ("changed_kinds", 'column "at" had numbers and has times of day')
    ]
