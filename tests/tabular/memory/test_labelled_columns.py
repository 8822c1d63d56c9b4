"""A table in memory gives what a CSV file of the same table gives, to the bit."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ffn.errors import DataError
from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.memory.array_table import ArrayTable
from ffn.tabular.memory.column_reader import ColumnChoice
from ffn.tabular.memory.labelled_columns import LabelledColumns, read_labelled_columns
from ffn.tabular.memory.memory_table import column_names, open_table
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.tabular.training_table.training_inputs import inputs_to_learn_from
from ffn.tabular.training_table.typed_columns import TypedColumns

MISSING = ("", "NA")
SETTINGS = {"bins": 4, "most_categories": 3, "text_components": 4}


def in_memory(frame: Any, y: Any, **given: Any) -> LabelledColumns:
    classes, labels = np.unique(y, return_inverse=True)
    choice = ColumnChoice(
        **{"kinds": {}, "formats": {}, "missing_values": MISSING, **given}  # type: ignore[arg-type]
    )
    table = open_table(frame, column_names(frame))
    return read_labelled_columns(table, choice, np.arange(len(y)), labels, tuple(classes.tolist()))


def learnt(table: TypedColumns, rows: np.ndarray) -> tuple[Schema, Preparation, np.ndarray]:
    schema, _ = table.learn_schema(rows)
    preparation = fit_preparation(table, schema, rows, **SETTINGS)
    schema = replace(schema, encoder=preparation.texts)
    training = np.zeros(table.rows, dtype=bool)
    training[rows] = True
    found = inputs_to_learn_from(
        table, schema, preparation, training, table.fingerprints, np.float64
    )
    return schema, preparation, np.concatenate([x for _, x, _ in found])


@st.composite
def frames(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A table with columns of every kind, labels, and the rows to learn from."""
    n = draw(st.integers(20, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    numbers = random.normal(size=n).round(draw(st.integers(0, 6)))
    numbers[random.random(n) < draw(st.sampled_from([0, 0.2]))] = np.nan
    few = draw(st.lists(st.sampled_from(["Rom", "Bern", "São Paulo", "a;b", ' "x" ']), min_size=2))
    days = [
        datetime.date(2019, 1, 1) + datetime.timedelta(int(d)) for d in random.integers(0, 2000, n)
    ]
    words = ["red shirt", "blue shirt", "red trousers", "green hat, large", "blue hat"]
    frame = pd.DataFrame(
        {
            "number": numbers,
            "whole": random.integers(-5, 5, n),
            "city": random.choice([*few, *draw(st.sampled_from([[], [None]]))], n),
            "code": [f"c{k}" for k in random.integers(0, 9, n)],
            "day": days,
            "time": pd.Timestamp("2020-05-01") + pd.to_timedelta(random.integers(0, 10**7, n), "s"),
            "flag": random.random(n) < 0.5,
            "note": [f"{random.choice(words)} {k % 4}" for k in range(n)],
        }
    )
    y = random.choice(["no", "yes", "maybe"][: draw(st.integers(2, 3))], n)
    y[:4] = ["no", "yes"] * 2
    return frame, y, np.sort(random.permutation(n)[: n - draw(st.integers(0, 8))])


@settings(max_examples=25, deadline=None)
@given(frames())
def test_the_same_as_from_a_file(made: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    frame, y, rows = made
    kinds: dict[str, Any] = {"note": "text", "city": "categorical", "code": "categorical"}
    found = in_memory(frame, y, kinds=kinds)
    assert found.formats == {"day": "iso", "time": "iso", "flag": "true/false"}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        frame.assign(label=y).to_csv(path, index=False)
        choice = Choice(target="label", missing_values=MISSING, kinds=kinds, formats=found.formats)
        expected = read_dataset(path, Cache(Path(folder) / "cache"), choice)
        assert_array_equal(found.fingerprints, expected.fingerprints)
        assert_array_equal(found.labels, expected.labels)
        schema, preparation, x = learnt(expected, rows)
    own_schema, own, own_x = learnt(found, rows)
    assert own_schema.features == schema.features
    theirs = preparation.to_arrays()
    assert own.to_arrays().keys() == theirs.keys()
    for name, values in own.to_arrays().items():
        assert_array_equal(values, theirs[name], err_msg=name)
    assert_array_equal(own_x, x)


def test_rows_that_do_not_count_have_no_effect() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, np.inf, 4], "b": ["x", "y", "12", "x"]})
    table = open_table(frame, ["a", "b"])
    choice = ColumnChoice(kinds={}, formats={}, missing_values=("",))
    rows = np.array([0, 1, 3])
    found = read_labelled_columns(table, choice, rows, np.array([0, 1, 0]), ("n", "p"))
    assert_array_equal(found.numeric["a"], [1, 2, 4])
    assert found.category_texts() == {"b": ["x", "y"]}
    some = found.take(np.array([2, 0]))
    assert_array_equal(some.categorical["b"], ["x", "x"])
    assert_array_equal(some.fingerprints, found.fingerprints[[2, 0]])


@pytest.mark.parametrize(
    ("column", "given", "message"),
    [
        (
            [1.0, np.inf, 3],
            {},
            r'row 2, column "c": not a finite decimal number\. Correct the cell',
        ),
        ([1.0, 2e15, 3], {}, r'row 2, column "c": 2e\+15 is beyond ±1e\+15\. Correct'),
        (
            ["a", "b", "3"],
            {"kinds": {"c": "numeric"}},
            r'row 1, column "c": not a finite .*kinds=\{"c"',
        ),
        (
            ["3.1.24", "x", ""],
            {"formats": {"c": "%d.%m.%y"}},
            r"row 2, .*another format than formats=",
        ),
        (["a\0", "b", "c"], {}, r'row 1, column "c": a NUL byte'),
        ([[1], [2], [3]], {}, r'column "c": cells of the type list are not plain values'),
        (
            [1.0, 2, 3],
            {"kinds": {"d": "numeric"}},
            r'no column "d", which kinds names; its columns',
        ),
        (
            [1.0, 2, 3],
            {"formats": {"C": "iso"}},
            r'no column "C", which formats names.*Did you mean "c"',
        ),
    ],
)
def test_what_cannot_be_read_is_refused(column: Any, given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as found:
        in_memory(pd.DataFrame({"c": column}), ["n", "p", "n"], **given)
    assert "\n" not in str(found.value)


def test_names_and_ids_are_refused_with_what_could_read_them() -> None:
    names = [f"n{i}x" for i in range(120)]
    with pytest.raises(DataError, match=r'120 different texts in 120 rows look like .*"text"\}'):
        in_memory(pd.DataFrame({"c": names}), [0, 1] * 60)
    assert in_memory(pd.DataFrame({"c": names}), [0, 1] * 60, kinds={"c": "text"}).text_features
    # 1/2 to 12/12: every cell may be read in two ways.
    days = [f"{1 + i % 12:02}/{1 + i // 12:02}/{2000 + i}" for i in range(120)]
    message = r'It has dates that may be meant otherwise.*formats=\{"c": "%d/%m/%Y"\} or formats='
    with pytest.raises(DataError, match=message):
        in_memory(pd.DataFrame({"c": days}), [0, 1] * 60)


def test_a_doubt_is_told_and_the_column_read_as_it_looks() -> None:
    days = ["01/02/2024", "03/04/2024", "05/06/2024"] * 4
    with pytest.warns(
        UserWarning, match=r'column "c" has dates that .* read as categories; .*%m/%d'
    ):
        found = in_memory(pd.DataFrame({"c": days}), [0, 1] * 6)
    assert found.categorical_features == ("c",)
    declared = in_memory(pd.DataFrame({"c": days}), [0, 1] * 6, formats={"c": "%d/%m/%Y"})
    first = datetime.datetime(2024, 2, 1, tzinfo=datetime.UTC).timestamp()
    assert declared.numeric["c"][0] == first


def test_any_container_gives_the_same() -> None:
    frame = pd.DataFrame(
        {"a": [1.5, None, 3], "b": ["x", None, "y"], "c": [True, False, True], "d": [1, 2, 3]}
    )
    expected = in_memory(frame, [0, 1, 0])
    of_objects = frame.astype(object).to_numpy()
    names = np.array(["x0", "x1", "x2", "x3"])
    for table in (
        pl.from_pandas(frame),
        pl.from_pandas(frame).lazy(),
        pl.from_pandas(frame).to_arrow(),
    ):
        found = in_memory(table, [0, 1, 0])
        assert_array_equal(found.numbers, expected.numbers)
        assert_array_equal(found.codes, expected.codes)
        assert (found.texts, found.formats) == (expected.texts, expected.formats)
    choice = ColumnChoice(kinds={}, formats={}, missing_values=MISSING)
    found = read_labelled_columns(
        ArrayTable(of_objects), choice, np.arange(3), np.array([0, 1, 0]), ("0", "1")
    )
    assert found.order == tuple(names)
    assert_array_equal(found.numbers, expected.numbers)
    assert_array_equal(found.codes, expected.codes)


def test_a_column_without_values_is_empty() -> None:
    frame = pd.DataFrame(
        {"a": [None] * 4, "b": [np.nan] * 4, "c": ["", "NA", "", ""], "d": range(4)}
    )
    found = in_memory(frame, [0, 1, 0, 1])
    assert np.isnan(found.numbers[:3]).all()
    schema, notices = found.learn_schema(np.arange(4))
    assert [feature.name for feature in schema.features] == ["d"]
    assert notices == ['constant or empty in the training rows and left out: "a", "b", "c"']
