"""Inputs against a ColumnTransformer of scikit-learn on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ffn.storage.cache import Cache
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation

NUMERIC = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
CATEGORICAL = ["island", "sex"]


def read(path: Path, folder: Path, **choice: Any) -> Dataset:
    options = Choice(missing_values=("", "NA"), kinds={}, **choice)
    return read_dataset(path, Cache(folder / "cache"), options)


def reference(frame: pd.DataFrame, train: np.ndarray) -> np.ndarray:
    transformer = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
            # Of the columns that have gaps among the rows to fit alone.
            ("gaps", MissingIndicator(error_on_new=False), NUMERIC),
            ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORICAL),
        ]
    )
    return transformer.fit(frame.iloc[train]).transform(frame)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("where", ["anywhere", "gaps held out"])
def test_penguins_are_prepared_as_scikit_learn_would(
    repository: Path, tmp_path: Path, seed: int, where: str
) -> None:
    path = repository / "data" / "penguins" / "train.csv"
    dataset = read(path, tmp_path, target="species", features=[*NUMERIC, *CATEGORICAL])
    frame = pd.read_csv(path, keep_default_na=False, na_values={n: ["", "NA"] for n in NUMERIC})
    # scikit-learn sorts a category of its own for gaps among the texts; ours comes last.
    frame["sex"] = frame["sex"].replace({"": "~missing", "NA": "~missing"})
    gaps = (frame["sex"] == "~missing").to_numpy()
    assert gaps.sum() > 5
    order = np.random.default_rng(seed).permutation(len(frame))
    train = np.sort(order[:270])
    if where == "gaps held out":
        train = train[~gaps[train]]

    schema, notices = dataset.learn_schema(train)
    numeric, codes = dataset.arrays(schema)
    preparation = fit_preparation(dataset, schema, train)
    found = preparation.transform(numeric, codes, np.float64)
    assert notices == []
    np.testing.assert_allclose(found, reference(frame, train), rtol=0, atol=1e-12)
    assert found.shape == (344, preparation.n_inputs)
    np.testing.assert_array_equal(preparation.transform(numeric, codes), found.astype(np.float32))


@pytest.mark.parametrize(("mean", "spread"), [(0, 1e-140), (0, 1e3), (1e3, 1e-9), (1e12, 0.01)])
def test_a_small_spread_is_scaled_as_any(tmp_path: Path, mean: float, spread: float) -> None:
    """scikit-learn's scale is 1 where a spread is small beside the mean: the input would be 0."""
    values = mean + spread * np.random.default_rng(5).random(200)
    path = tmp_path / "t.csv"
    rows = [f"{value!r},{'uv'[i % 2]}\n" for i, value in enumerate(values.tolist())]
    path.write_text("x,y\n" + "".join(rows))
    dataset = read(path, tmp_path, target="y")
    schema, _ = dataset.learn_schema(np.arange(200))
    (scale,) = fit_preparation(dataset, schema, np.arange(200)).scale
    # Differences of numbers so close are exact.
    assert scale == pytest.approx(((values - values[0]) / spread).std() * spread, rel=1e-3, abs=0)


def hand_made() -> Preparation:
    return Preparation(
        fill=np.array([2.0]),
        mean=np.array([1.0]),
        scale=np.array([0.5]),
        categories=np.array([2, 3]),
        has_missing=np.array([True, False]),
    )


def test_inputs_by_hand() -> None:
    numeric = np.array([[2.0], [np.nan], [0.5]])
    codes = np.array([[0, 2], [MISSING, MISSING], [UNKNOWN, 0]])
    assert hand_made().n_inputs == 1 + 2 + 1 + 3
    np.testing.assert_array_equal(
        hand_made().transform(numeric, codes),
        # z    a  b  gap  p  q  r
        [
            [2, 1, 0, 0, 0, 0, 1],
            [2, 0, 0, 1, 0, 0, 0],
            [-1, 0, 0, 0, 1, 0, 0],
        ],
    )


def test_a_number_has_an_input_for_missing_where_training_had_gaps(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,flag,late,c,y\n1,,5,p,a\n3,1,7,q,b\n5,,,p,a\n7,1,9,q,b\n9,,,p,a\n")
    dataset = read(path, tmp_path, target="y")
    train = np.array([0, 1, 3])
    schema, notices = dataset.learn_schema(train)
    preparation = fit_preparation(dataset, schema, train)
    assert notices == []
    # "late" may be missing, which training never saw: it is filled with the median, 7.
    np.testing.assert_array_equal(preparation.numeric_missing, [False, True, False])
    numeric, codes = dataset.arrays(schema)
    x = preparation.transform(numeric, codes, np.float64)
    z = (np.array([1, 3, 5, 7, 9]) - 11 / 3) / np.std([1, 3, 7])
    late = (np.array([5, 7, 7, 9, 7]) - 7) / np.std([5, 7, 9])
    gaps, p = [1, 0, 1, 0, 1], np.array([1, 0, 1, 0, 1])
    expected = np.column_stack([z, np.zeros(5), late, gaps, p, 1 - p])
    np.testing.assert_allclose(x, expected, rtol=0, atol=1e-15)
    assert preparation.inputs_of_features() == [[0], [1, 3], [2], [4, 5]]
    assert preparation.n_inputs == 6
    # Of a value that is not the one that training knew nothing was learnt.
    other = preparation.transform(np.array([[1.0, 1e300, 7.0]]), codes[:1])
    assert abs(other[0, 1]) < 1e-8
    assert not preparation.too_large(np.array([[1.0, 1e300, 7.0]])).any()


def test_no_gap_in_training_no_input_for_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,a\n3,b\n,b\n")
    dataset = read(path, tmp_path, target="y")
    schema, _ = dataset.learn_schema(np.arange(2))
    assert fit_preparation(dataset, schema, np.arange(2)).numeric_missing is None


def test_a_number_beyond_float32_becomes_infinite_and_is_the_callers() -> None:
    x = hand_made().transform(np.array([[1e300]]), np.array([[0, 0]]))
    assert np.isposinf(x[0, 0])
    assert np.isfinite(x[0, 1:]).all()


def test_numbers_are_encoded_with_what_the_training_rows_had(tmp_path: Path) -> None:
    """Edges and knots come from known numbers alone; a gap is the median with its indicator."""
    rng = np.random.default_rng(8)
    x, w = rng.normal(3, 2, 300).round(3), rng.exponential(1, 300).round(4)
    cells = [
        f"{a!r},{'' if i % 5 == 0 else repr(b)},{i % 2},{'pq'[i % 2]},{'uv'[i % 2]}\n"
        for i, (a, b) in enumerate(zip(x.tolist(), w.tolist(), strict=True))
    ]
    path = tmp_path / "t.csv"
    path.write_text("x,w,flag,c,y\n" + "".join(cells))
    dataset = read(path, tmp_path, target="y")
    train = np.arange(240)
    schema, _ = dataset.learn_schema(train)
    preparation = fit_preparation(dataset, schema, train, bins=4)
    plain = fit_preparation(dataset, schema, train)
    for name, array in plain.to_arrays().items():
        np.testing.assert_array_equal(preparation.to_arrays()[name], array)
    assert preparation.inputs_of_features() == [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11, 13],
        [12],
        [14, 15],
    ]
    assert preparation.n_inputs == 16
    numeric, codes = dataset.arrays(schema)
    known = [numeric[:240, 0], numeric[:240, 1][np.arange(240) % 5 > 0]]
    edges = []
    for f, column in enumerate(known):
        z = (column - plain.mean[f]) / plain.scale[f]
        edges.append(np.quantile(z / np.sqrt(1 + z**2 / 9), [0, 0.25, 0.5, 0.75, 1]))
    np.testing.assert_allclose(preparation.piecewise.edges, np.concatenate(edges), atol=1e-14)
    inputs = preparation.transform(numeric, codes, np.float64)
    assert inputs.shape == (300, 16)
    z = plain.transform(numeric, codes, np.float64)
    np.testing.assert_allclose(inputs[:, [4, 10, 12]], z[:, :3] / np.sqrt(1 + z[:, :3] ** 2 / 9))
    np.testing.assert_array_equal(inputs[:, 13:], z[:, 3:])
    # Which is all that a decision tree needs of them.
    assert preparation.inputs_told_once() == [4, 10, 12, 13, 14, 15]
    assert plain.inputs_told_once() is None
    gap = np.flatnonzero(np.isnan(numeric[:, 1]))
    filled = preparation.transform(np.array([[0, plain.fill[1], 0]]), codes[:1], np.float64)
    np.testing.assert_array_equal(inputs[gap, 6:12], np.tile(filled[:, 6:12], (len(gap), 1)))
    # Nothing is too far, and rows that are not in the training part change nothing.
    far = np.array([[1e300, -1e300, np.inf]])
    assert not preparation.too_large(far).any()
    assert np.isfinite(preparation.transform(far, codes[:1])).all()
    again = Preparation.of_arrays(preparation.to_arrays())
    np.testing.assert_array_equal(again.transform(numeric, codes, np.float64), inputs)


def test_a_table_may_lack_a_kind_of_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,c,y\n1,p,a\n3,q,b\n")
    everything = np.arange(2)
    numbers = read(path, tmp_path, target="y", features=["x"])
    schema, _ = numbers.learn_schema(everything)
    only_numbers = fit_preparation(numbers, schema, everything)
    assert (only_numbers.mean, only_numbers.scale) == (2.0, 1.0)
    assert only_numbers.has_missing.dtype == bool
    texts = read(path, tmp_path, target="y", features=["c"])
    schema, _ = texts.learn_schema(everything)
    only_texts = fit_preparation(texts, schema, everything)
    assert only_texts.n_inputs == 2
    np.testing.assert_array_equal(
        only_texts.transform(np.empty((2, 0)), np.array([[1], [MISSING]])), [[0, 1], [0, 0]]
    )


@pytest.mark.parametrize("columns", [2, 30])
def test_the_names_of_many_columns_are_looked_up_as_often(
    tmp_path: Path, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them for each of them would be quadratic."""
    path = tmp_path / "t.csv"
    header = [*(f"c{f}" for f in range(columns)), "y"]
    lines = [[*map(str, range(i, i + columns)), "uv"[i % 2]] for i in range(8)]
    path.write_text("".join(",".join(line) + "\n" for line in [header, *lines]))
    dataset = read(path, tmp_path, target="y")
    schema, _ = dataset.learn_schema(np.arange(8))
    looked, columns_of = [], Dataset.numeric.fget

    def numeric(self: Dataset) -> Any:
        looked.append(self)
        return columns_of(self)

    monkeypatch.setattr(Dataset, "numeric", property(numeric))
    fill = fit_preparation(dataset, schema, np.arange(8)).fill
    assert fill.tolist() == [f + 3.5 for f in range(columns)]
    assert len(looked) == 1
