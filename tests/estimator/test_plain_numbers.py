"""Sparse matrices are learnt from like dense arrays, and columns without numbers are named."""

from __future__ import annotations

import datetime
import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ffn import FFNClassifier
from ffn.estimator import plain_numbers
from ffn.estimator.plain_numbers import dense, dense_parts

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5)) * (RANDOM.random((60, 5)) < 0.4)
Y = (X.sum(axis=1) > 0).astype(int)


def fitted(x: Any, y: Any = Y, **parameters: Any) -> FFNClassifier:
    return FFNClassifier(4, epochs=3, random_state=0, **parameters).fit(x, y)


@pytest.mark.parametrize(
    "form", [sparse.csr_array, sparse.csc_array, sparse.coo_matrix, sparse.csr_matrix]
)
@pytest.mark.parametrize("parameters", [{}, {"numbers": "piecewise"}, {"dtype": "float64"}])
def test_a_sparse_matrix_is_learnt_from_like_a_dense_one(form: Any, parameters: Any) -> None:
    expected, found = fitted(X, **parameters), fitted(form(X), **parameters)
    assert_array_equal(found.network_.parameters, expected.network_.parameters)
    assert_array_equal(found.predict_proba(form(X)), expected.predict_proba(X))


def test_parts_of_sparse_rows() -> None:
    parts = list(dense_parts(sparse.csr_array(X), values_at_once=37))
    # Seven rows of five features are 35 values.
    assert [len(part) for part in parts] == [7] * 8 + [4]
    assert_array_equal(np.concatenate(parts), X)
    assert [len(part) for part in dense_parts(sparse.csr_array(X), values_at_once=1)] == [1] * 60
    assert next(dense_parts(X)) is X


def test_in_parts_too() -> None:
    expected = FFNClassifier(4, random_state=0).partial_fit(X, Y, classes=[0, 1])
    found = FFNClassifier(4, random_state=0).partial_fit(sparse.csr_array(X), Y, classes=[0, 1])
    assert_array_equal(found.network_.parameters, expected.network_.parameters)


def test_what_fits_no_memory_is_refused() -> None:
    huge = sparse.csr_array((10**5, 10**8))
    with pytest.raises(ValueError, match=r"100,000,000 features, which would take .*TruncatedSVD"):
        dense(huge)
    with pytest.raises(ValueError, match=r"as a dense array, of .* of memory\. Reduce it first"):
        fitted(huge, np.arange(10**5) % 2)


def test_a_container_may_have_less_memory_than_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 60 * 5 * 8
    monkeypatch.setattr(plain_numbers, "memory_limit", lambda: needed)
    assert_array_equal(dense(sparse.csr_array(X)), X)
    monkeypatch.setattr(plain_numbers, "memory_limit", lambda: needed - 1)
    with pytest.raises(ValueError, match=r"would take 2\.4 kB as a dense array, of 2\.4 kB"):
        dense(sparse.csr_array(X))


def test_what_the_message_advises_works() -> None:
    """One-hot columns are sparse where they are most of the table."""
    frame = pd.DataFrame({"x": X[:, 0], "code": [f"c{i % 30}" for i in range(60)]})
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["code"]), remainder=StandardScaler()
    )
    inputs = encode.fit_transform(frame)
    assert sparse.issparse(inputs)
    model = make_pipeline(encode, FFNClassifier(4, epochs=3, random_state=0)).fit(frame, Y)
    expected = fitted(inputs.toarray()).predict_proba(inputs.toarray())
    assert_array_equal(model.predict_proba(frame), expected)


DAY = datetime.date(2026, 3, 1)
NO_NUMBERS: dict[str, tuple[Any, str]] = {
    "texts": (["red"] * 60, 'texts, such as "red"'),
    "dates": (pd.date_range("2026-03-01", periods=60), 'dates or times, such as "2026-03-01'),
    "days": ([DAY] * 60, 'dates or times, such as "2026-03-01"'),
    "durations": (pd.to_timedelta(range(60), unit="D"), "dates or times, such as"),
    "zoned": (pd.date_range("2026-03-01", periods=60, tz="UTC"), "dates or times, such as"),
    "category": (pd.Categorical(["a", "b"] * 30), 'categories, such as "a"'),
    "periods": (pd.period_range("2026-03", periods=60, freq="D"), "dates or times, such as"),
    "strings": (pd.array(["a", None] * 30, dtype="string"), 'texts, such as "a"'),
    "late": (["1"] * 59 + ["x"], 'texts, such as "x"'),
    "lists": ([[1]] * 60, "other objects, such as"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_a_column_of_pandas_without_numbers_is_named(kind: str) -> None:
    values, told = NO_NUMBERS[kind]
    frame = pd.DataFrame({"size": X[:, 0], "bad": values})
    message = f'column "bad" holds {re.escape(told)}.*FFNClassifier takes numbers; .*\\.$'
    with pytest.raises(ValueError, match=message) as found:
        fitted(frame)
    assert "\n" not in str(found.value)
    model = fitted(pd.DataFrame({"size": X[:, 0], "bad": X[:, 1]}))
    with pytest.raises(ValueError, match=message):
        model.predict(frame)


@pytest.mark.parametrize(
    ("kind", "kinds"), [("dates", "auto"), ("category", "auto"), ("strings", {"bad": "text"})]
)
def test_the_option_that_reads_such_columns_is_named(kind: str, kinds: Any) -> None:
    frame = pd.DataFrame({"size": X[:, 0], "bad": NO_NUMBERS[kind][0]})
    with pytest.raises(ValueError, match=r'give kinds="auto", which reads .* or .*') as found:
        fitted(frame)
    if kinds != "auto":
        assert 'kinds={"bad": "text"}' in str(found.value)
    assert fitted(frame, kinds=kinds).n_features_in_ == 2


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["red"] * 60, 'texts, such as "red"'),
        ([DAY] * 60, 'dates or times, such as "2026-03-01"'),
        ([datetime.datetime(2026, 3, 1)] * 60, "dates or times"),
        ([datetime.time(14, 35)] * 60, 'dates or times, such as "14:35'),
        (pl.Series(["a"] * 60, dtype=pl.Categorical), 'categories, such as "a"'),
        (pl.Series(["a"] * 60, dtype=pl.Enum(["a"])), 'categories, such as "a"'),
        ([[1, 2]] * 60, "lists or records"),
        ([["a"]] * 60, "lists or records"),
        ([[datetime.date(2026, 1, 1)]] * 60, "lists or records"),
        ([{"date": 1}] * 60, "lists or records"),
        (pl.Series([[1, 2]] * 60, dtype=pl.Array(pl.Int64, 2)), "lists or records"),
        (pl.Series(["date"] * 60, dtype=pl.Enum(["date"])), 'categories, such as "date"'),
    ],
)
def test_a_column_of_polars_without_numbers_is_named(values: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f'column "bad" holds {re.escape(told)}'):
        fitted(pl.DataFrame({"size": X[:, 0], "bad": values}))


def test_two_columns_of_one_name() -> None:
    frame = pd.concat([pd.Series(X[:, 0], name="a"), pd.Series(["x"] * 60, name="a")], axis=1)
    with pytest.raises(ValueError, match=r'column "a" holds texts'):
        fitted(frame)


def test_whatever_is_a_number_is_taken() -> None:
    plain = np.column_stack([X[:, 0], X[:, 1] > 0, np.arange(60)])
    expected = fitted(plain).predict_proba(plain)
    columns = {"a": X[:, 0], "b": X[:, 1] > 0, "c": np.arange(60)}
    frames = [
        pd.DataFrame(columns),
        pd.DataFrame(columns).astype({"b": "boolean", "c": "Int16"}),
        pd.DataFrame(columns).astype({"a": object}),
        pd.DataFrame(columns).astype({"c": str}).astype(object),
        pd.DataFrame(columns).astype({"c": "category"}),
        pd.DataFrame(columns).astype({"c": str}),
        pl.DataFrame(columns),
    ]
    for frame in frames:
        assert_array_equal(fitted(frame).predict_proba(frame), expected)
