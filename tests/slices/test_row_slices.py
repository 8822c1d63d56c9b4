"""How rows are divided into slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.slices.row_slices import quarter_bounds, row_slices
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.training_table.histograms import Histogram, histogram_of
from tests.helpers.explainable import explainable


def test_slices_of_numbers_and_categories() -> None:
    bundle = explainable(1, 1)
    assert bundle.reference is not None
    bins = Histogram(edges=(1.0, 2.0, 3.0), counts=(5, 5, 5, 5), missing=1)
    reference = replace(bundle.reference, numeric=(bins,))
    numeric = np.array([[0.5], [1.0], [1.5], [3.0], [9.0], [np.nan]])
    codes = np.array([[0], [2], [UNKNOWN], [MISSING], [0], [0]])
    found = row_slices(bundle.schema, reference, numeric, codes)
    assert [(one.column, one.value, one.rows.tolist()) for one in found] == [
        ("n0", "no value", [5]),
        # A bound belongs to the range below it.
        ("n0", "up to 1", [0, 1]),
        ("n0", "above 1 to 2", [2]),
        ("n0", "above 2 to 3", [3]),
        ("n0", "above 3", [4]),
        ("c0", "not seen in training", [2]),
        ("c0", "no value", [3]),
        ("c0", "p", [0, 4, 5]),
        ("c0", "r", [1]),
    ]


def test_slices_of_dates_truth_values_and_texts() -> None:
    bundle = explainable(2, 1)
    assert bundle.reference is not None
    features = {feature.name: feature for feature in bundle.schema.features}
    schema = replace(
        bundle.schema,
        features=(
            replace(features["n0"], format="iso"),
            replace(features["n1"], format="true/false"),
            replace(features["c0"], kind="text", categories=()),
        ),
    )
    # 2025-03-01 and 2025-03-02 10:30 in UTC.
    days = Histogram(edges=(1740787200.0, 1740911400.0), counts=(5, 5, 5), missing=0)
    reference = replace(bundle.reference, numeric=(days, Histogram(counts=(9, 6), missing=0)))
    numeric = np.array([[1740787200.0, 0.0], [1740787201.0, 1.0], [2e9, 1.0]])
    found = row_slices(schema, reference, numeric, np.empty((3, 0), dtype=np.int64))
    assert [(one.column, one.value, one.rows.tolist()) for one in found] == [
        ("n0", "up to 2025-03-01", [0]),
        ("n0", "above 2025-03-01 to 2025-03-02 10:30:00", [1]),
        ("n0", "above 2025-03-02 10:30:00", [2]),
        ("n1", "false", [0]),
        ("n1", "true", [1, 2]),
    ]


@settings(max_examples=25)
@given(values=st.lists(st.integers(0, 30) | st.floats(-5, 5), min_size=1, max_size=80))
def test_each_row_is_in_one_slice_of_a_column(values: list[float]) -> None:
    bundle = explainable(1, 0)
    assert bundle.reference is not None
    column = np.array(values, dtype=float)
    reference = replace(bundle.reference, numeric=(histogram_of(column),))
    found = list(row_slices(bundle.schema, reference, column[:, None], np.zeros((len(column), 0))))
    rows = np.concatenate([one.rows for one in found])
    assert sorted(rows.tolist()) == list(range(len(values)))
    assert len({one.value for one in found}) == len(found) <= 4


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        # Deciles of 1 to 100 are 11, 21, ..., and the quarters end nearest to 25, 50 and 75.
        (range(1, 101), 3),
        ([0] * 90 + [1] * 10, 1),
        ([7] * 5, 0),
    ],
)
def test_quarters(values: list[int], bounds: int) -> None:
    column = np.array(values, dtype=float)
    found = quarter_bounds(histogram_of(column))
    assert len(found) == bounds
    if bounds == 3:
        shares = [(column <= bound).mean() for bound in found]
        assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.06)


def test_bounds_that_look_alike_are_written_in_full() -> None:
    bundle = explainable(1, 0)
    assert bundle.reference is not None
    bins = Histogram(edges=(1.0000001, 1.0000002), counts=(1, 1, 1), missing=0)
    reference = replace(bundle.reference, numeric=(bins,))
    found = row_slices(bundle.schema, reference, np.array([[1.0], [2.0]]), np.zeros((2, 0)))
    assert [one.value for one in found] == ["up to 1.0000001", "above 1.0000002"]
