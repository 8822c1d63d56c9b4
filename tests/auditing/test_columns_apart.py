"""Columns that the two sides of the table keep apart already, for which nothing is too good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ffn.auditing.audited_columns import choose_audited
from ffn.pipelines.execution import InProcess
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.pipelines.retraining import run_steps
from ffn.scoring.model import load as load_model
from ffn.settings.document import check_settings
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from simulations.planted import PLANTED
from simulations.split_audits import planted_pipeline
from tests.auditing.customers_of_days import FIRST_DAY, Columns, customers, pipeline, write

IGNORED = ["household"]


def later(columns: Columns, days: int) -> Columns:
    """The same rows so many days later."""
    moved = np.asarray(columns["day"], dtype="datetime64[D]") + days
    return columns | {"day": moved.astype(str)}


def apart(folder: Path, own: Columns, **settings: Any) -> dict[str, bool]:
    """Whether each audited column of a table is apart from a file ``own`` of held-out rows."""
    write(folder / "own.csv", own)
    table = customers(0, 60, 1, days=100)
    made = pipeline(folder, table, {"test": "own.csv", "ignore": IGNORED} | settings)
    dataset = load(made)
    return {one.name: one.apart for one in choose_audited(dataset, split(dataset, made), made)}


def test_rows_of_the_file_that_are_all_later_are_later_rows(tmp_path: Path) -> None:
    own = later(customers(0, 12, 2, days=100), 100)
    assert apart(tmp_path, own) == {"customer_id": False, "day": True}


def test_one_row_of_the_last_day_is_not_later(tmp_path: Path) -> None:
    own = later(customers(0, 12, 2, days=100), 100)
    own["day"][0] = str(FIRST_DAY + 99)
    assert apart(tmp_path, own) == {"customer_id": False, "day": False}


def test_other_customers_in_the_file_are_new_ones(tmp_path: Path) -> None:
    assert apart(tmp_path, customers(500, 12, 2)) == {"day": False, "customer_id": True}


def test_one_known_customer_is_enough_to_be_known_again(tmp_path: Path) -> None:
    own = customers(500, 12, 2)
    own["customer_id"][7] = "C0003"
    assert apart(tmp_path, own) == {"day": False, "customer_id": False}


@pytest.mark.parametrize("cell", ["", "soon", "17"])
def test_a_time_that_cannot_be_compared_shows_nothing(tmp_path: Path, cell: str) -> None:
    own = later(customers(500, 12, 2), 1_000)
    own["day"] = [cell, *own["day"][1:]]
    assert apart(tmp_path, own) == {"day": False, "customer_id": True}


def test_a_row_without_a_customer_may_be_of_any(tmp_path: Path) -> None:
    own = customers(500, 12, 2)
    own["customer_id"][7] = ""
    assert apart(tmp_path, own) == {"day": False, "customer_id": False}


def test_rows_without_a_label_are_no_rows(tmp_path: Path) -> None:
    """Of the table the last ones are left out, and of the file the first ones."""
    table, own = customers(0, 60, 1, days=100), customers(500, 12, 2, days=100)
    own = later(own, 90)
    days = np.asarray(table["day"], dtype="datetime64[D]")
    table["y"] = np.where(days >= FIRST_DAY + 95, "", table["y"])
    early = np.asarray(own["day"], dtype="datetime64[D]") < FIRST_DAY + 95
    own["y"] = np.where(early, "", own["y"])
    write(tmp_path / "own.csv", own)
    made = pipeline(tmp_path, table, {"test": "own.csv", "ignore": IGNORED})
    dataset = load(made)
    assert dataset.unlabelled
    found = choose_audited(dataset, split(dataset, made), made)
    assert {one.name: one.apart for one in found} == {"day": True, "customer_id": True}


def test_later_rows_of_a_column_that_is_a_feature(tmp_path: Path) -> None:
    turning = PLANTED["a concept that turns"](np.random.default_rng(3))
    cut = 900
    own = {name: values[turning.table["day"] >= cut] for name, values in turning.table.items()}
    table = {name: values[turning.table["day"] < cut] for name, values in turning.table.items()}
    made = planted_pipeline(tmp_path, replace(turning, table=table), epochs=4)
    write(tmp_path / "own.csv", own)
    document = made.settings.model_dump(exclude_unset=True) | {"split": {"test": "own.csv"}}
    made = replace(made, settings=check_settings(document, "pipeline.toml"))
    dataset = load(made)
    (found,) = choose_audited(dataset, split(dataset, made), made)
    assert (found.name, found.kind, found.apart) == ("day", "time", True)


def test_a_file_of_later_rows_is_judged_by_without_an_alarm(tmp_path: Path) -> None:
    """The same rows split at random are kept back, because figures of them are too good."""
    turning = PLANTED["a concept that turns"](np.random.default_rng([1, 12]))
    made = planted_pipeline(tmp_path, turning, epochs=12)
    rng = np.random.default_rng(1)
    some = np.sort(rng.choice(len(turning.to_come["y"]), 600, replace=False))
    write(tmp_path / "own.csv", {name: values[some] for name, values in turning.to_come.items()})
    document = made.settings.model_dump(exclude_unset=True) | {"split": {"test": "own.csv"}}
    made = replace(made, settings=check_settings(document, "pipeline.toml"))
    outcome = run_steps(made, InProcess())
    assert isinstance(outcome, RetrainOutcome)
    verdict = outcome.version.verdict
    assert verdict.promote, verdict.reason
    assert verdict.audit is not None
    assert (verdict.audit.columns, list(verdict.audit.left_out)) == ((), ["day"])
    page = outcome.report.html.read_text("utf-8")
    assert "&quot;day&quot; was not audited: all held-out rows are later than the" in page
    assert "Split audit:" not in page, "no network was trained for it"
    accuracy = outcome.evaluation.accuracy
    everything = {name: values for name, values in turning.to_come.items() if name != "y"}
    said = load_model(outcome.version.bundle).predict(pa.table(everything))
    assert accuracy.low < float((said == turning.to_come["y"]).mean()) < accuracy.high
