"""FFNClassifier with `kinds`: which tables and parameters are taken, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier
from ffn.tabular.memory.array_table import ArrayTable
from tests.helpers.mixed_columns import COLUMNS, FRAME, N, Y, fit


def test_any_container_and_any_order_of_columns() -> None:
    model = fit(**COLUMNS)
    expected = model.predict_proba(FRAME)
    assert model.n_features_in_ == 6
    assert model.feature_names_in_.tolist() == FRAME.columns.tolist()
    frame = pl.from_pandas(FRAME)
    for other in (FRAME[FRAME.columns[::-1]], frame, frame.lazy(), frame.to_arrow()):
        assert_array_equal(model.predict_proba(other), expected)
        assert_array_equal(fit(other, **COLUMNS).predict_proba(FRAME).shape, (N, 2))
    for other in (frame, frame.to_arrow()):
        assert_array_equal(fit(other, **COLUMNS).network_.parameters, model.network_.parameters)


def test_arrays_and_numbered_columns_are_found_by_position() -> None:
    array = FRAME[["age", "city", "vip"]].to_numpy(dtype=object)
    model = fit(array, kinds={"x1": "categorical"})
    assert not hasattr(model, "feature_names_in_")
    numbered = pd.DataFrame(array)
    assert_array_equal(fit(numbered).network_.parameters, model.network_.parameters)
    assert_array_equal(model.predict_proba(numbered), model.predict_proba(array))
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        named = model.predict_proba(pd.DataFrame(array, columns=["c", "a", "b"]))
    assert_array_equal(named, model.predict_proba(array))
    by_name = fit(FRAME[["age", "city", "vip"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found = by_name.predict_proba(array)
    assert_array_equal(found, by_name.predict_proba(FRAME.iloc[:, [0, 1, 4]]))
    with pytest.raises(ValueError, match=r"X has 2 features, but FFNClassifier is expecting 3"):
        model.predict(array[:, :2])
    with pytest.raises(ValueError, match=r"X has 2 features, but FFNClassifier is expecting 3"):
        model.predict(numbered[[0, 1]])
    with pytest.raises(TypeError, match=r"only supported if all input features have string names"):
        fit(numbered.rename(columns={0: "a"}))
    plain = np.random.default_rng(0).normal(size=(N, 3))
    scaled = StandardScaler().fit_transform(plain)
    assert_allclose(
        fit(plain, dtype="float64").column_inputs_.transform(ArrayTable(plain), np.float64),
        scaled,
        atol=1e-12,
    )


def test_columns_that_are_not_those_of_fit_are_refused_in_one_line() -> None:
    model = fit(**COLUMNS)
    start = "The feature names should match those that were passed during fit: X has "
    for frame, message in (
        (FRAME.drop(columns="age"), r'no column "age"\.$'),
        (FRAME.assign(size=1), r'a column "size" that fit did not see\.$'),
        (FRAME.rename(columns={"age": "Age"}), r'no column "age", and has .*Did you mean "Age"\?$'),
        (FRAME.drop(columns=["age", "day"]), r'no column "age" and 1 more\.$'),
    ):
        with pytest.raises(ValueError, match=start + message) as found:
            model.predict(frame)
        assert "\n" not in str(found.value)
    with pytest.raises(ValueError, match=r'X has the column "age" twice; rename one'):
        fit(pd.concat([FRAME, FRAME[["age"]]], axis=1))
    with pytest.raises(ValueError, match=r'row 3, column "age": not a finite decimal number\.$'):
        model.predict(FRAME.assign(age=["1", "2", "three"] * 40))
    with pytest.raises(TypeError, match=r"type list are not plain values.*: an argument must be"):
        fit(FRAME.assign(age=[[1]] * N))
    with pytest.raises(ValueError, match=r"Expected a 2-dimensional container"):
        fit(FRAME.age)
    with pytest.raises(ValueError, match=r"a pyarrow ChunkedArray, have no columns with names"):
        fit(pl.from_pandas(FRAME).to_arrow().column("age"))
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        model.predict(FRAME[:0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kinds": "all"}, r'kinds is .*expected None, "auto" or a dictionary from column'),
        (
            {"kinds": {"age": "number"}},
            r'kinds is .*to "numeric" or "categorical" or "text"\.$',
        ),
        ({"kinds": {1: "text"}}, "kinds is "),
        ({"formats": {"day": "soon"}}, r"formats is .*how it writes 1234\.5"),
        ({"missing_values": "NA"}, r"missing_values is .*list of texts"),
        ({"most_categories": 0}, "most_categories is .*from 1 up"),
        ({"text_components": 257}, "text_components is .*from 1 to 256"),
        ({"kinds": None, "formats": {"day": "iso"}}, r'formats is .*give kinds="auto" as well$'),
        ({"kinds": None, "most_categories": 3}, r'most_categories is .*kinds="auto"'),
        ({"warm_start": True}, "a network of columns cannot go on"),
        (
            {"kinds": {"day": "categorical"}, "formats": {"day": "iso"}},
            r'formats and kinds both name "day", which is categorical',
        ),
        ({"kinds": {"dya": "text"}}, r'no column "dya", which kinds names; .*Did you mean "day"'),
    ],
)
def test_parameters_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as found:
        fit(**settings)
    assert "\n" not in str(found.value)


def test_training_does_not_go_on() -> None:
    model = fit()
    assert not hasattr(model, "partial_fit")
    model.set_params(kinds=None, warm_start=True)
    with pytest.raises(ValueError, match=r"kinds is None; the networks .* trained on columns"):
        model.fit(np.zeros((N, 6)), Y)
    with pytest.raises(ValueError, match=r"kinds is .*auto.* take inputs as they are"):
        FFNClassifier.from_network(model.network_, ["a", "b"], kinds="auto")
    model.set_params(warm_start=False).fit(np.arange(2.0 * N).reshape(N, 2), Y)
    assert model.column_inputs_ is None


def test_missing_values_and_formats_as_given() -> None:
    frame = pd.DataFrame({"a": ["1", "-", "3", "-"] * 5, "d": ["01/02/24", "03/04/24"] * 10})
    settings = {"missing_values": ["-"], "formats": {"d": "%d/%m/%y"}}
    model = fit(frame, [0, 1] * 10, **settings)
    number, date = model.column_inputs_.schema.features
    assert (number.kind, number.missing, number.maximum) == ("numeric", True, 3)
    assert date.minimum == pd.Timestamp("2024-02-01").timestamp()


def test_one_class_and_nothing_to_learn_from() -> None:
    settings = {"most_categories": 1, "kinds": {"note": "text"}}
    with warnings.catch_warnings(action="error"):
        assert_array_equal(fit(y=["only"] * N, **settings).predict_proba(FRAME), 1)
    with pytest.raises(ValueError, match=r"every feature column is constant .* 2 samples"):
        fit(pd.DataFrame({"a": [1] * N}))


def test_a_pickle_of_an_earlier_version_has_the_defaults_of_later_parameters() -> None:
    x = np.arange(20.0).reshape(10, 2)
    model = FFNClassifier(epochs=2, random_state=0).fit(x, [0, 1] * 5)
    state = dict(model.__getstate__())
    of_columns = ("kinds", "formats", "missing_values", "most_categories", "text_components")
    for name in (*of_columns, "column_inputs_", "number_inputs_", "distilled"):
        del state[name]
    old = FFNClassifier.__new__(FFNClassifier)
    old.__setstate__(state)
    assert_array_equal(old.predict_proba(x), model.predict_proba(x))
    assert old.get_params() == model.get_params()
    assert hasattr(old, "partial_fit")
    assert_array_equal(old.fit(x, [0, 1] * 5).network_.parameters, model.network_.parameters)
