"""A truth value is the same in whatever container, and however its column writes it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import COLOUR, SCHEMA, TenthsScorer
from tests.scoring.test_dated_columns import in_frame, scored


@pytest.mark.parametrize(
    "cells",
    [
        ["True", "false", "YES", "no", "t", "F", "y", "N", "1", "0", " true "],
        [True, False, True, False, True, False, True, False, True, False, True],
        [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
        [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0],
    ],
)
def test_a_truth_value_is_the_same_however_it_is_written(tmp_path: Path, cells: list[Any]) -> None:
    feature = replace(SCHEMA.numeric[0], maximum=1.0, format="true/false")
    model = TenthsScorer(schema=replace(SCHEMA, features=(feature, COLOUR)))
    expected = [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    answers = [("small", f"{1 - number / 10:.4f}") for number in expected]
    table = pd.DataFrame({"size": cells, "colour": "blue"})
    table.to_csv(tmp_path / "t.csv", index=False)
    assert scored(tmp_path / "t.csv", model) == answers
    table.to_parquet(tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == answers
    for frame in (table, table.astype({"size": object}), pl.from_pandas(table)):
        assert in_frame(frame, model) == expected


def test_a_boolean_is_its_word_where_a_number_means_no_value(tmp_path: Path) -> None:
    # A CSV file of the table has "True" and "False", which are not among the missing values.
    feature = replace(SCHEMA.numeric[0], maximum=1.0, format="true/false", missing=True)
    schema = replace(SCHEMA, features=(feature, COLOUR), missing_values=("", "0", "1"))
    model = TenthsScorer(schema=schema)
    table = pd.DataFrame({"size": [True, False], "colour": "blue"})
    answers = [("small", "0.9000"), ("small", "1.0000")]
    table.to_csv(tmp_path / "t.csv", index=False)
    assert scored(tmp_path / "t.csv", model) == answers
    table.to_parquet(tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == answers
    for frame in (table, table.astype({"size": object}), pl.from_pandas(table)):
        assert in_frame(frame, model) == [1, 0]


def test_what_is_neither_true_nor_false_is_rejected(tmp_path: Path) -> None:
    feature = replace(SCHEMA.numeric[0], maximum=1.0, format="true/false")
    model = TenthsScorer(schema=replace(SCHEMA, features=(feature, COLOUR)))
    (tmp_path / "t.csv").write_text("size,colour\nyes,blue\nmaybe,blue\n2,blue\n\u017fi,blue\n")
    score_csv(model, tmp_path / "t.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv.rejects.csv").open(newline="", encoding="utf-8") as file:
        found = [(row["row"], row["reason"]) for row in csv.DictReader(file)]
    assert found == [(str(i), "not_true_or_false") for i in (2, 3, 4)]
    with pytest.raises(DataError, match=r'row 1, column "size": not true or false, in one of'):
        in_frame(pd.DataFrame({"size": [0.5], "colour": "blue"}), model)
    days = pd.DataFrame({"size": [pd.Timestamp("2025-01-31")], "colour": "blue"})
    with pytest.raises(
        DataError, match=r"cells of the type timestamp.* the model has truth values"
    ):
        in_frame(days, model)
