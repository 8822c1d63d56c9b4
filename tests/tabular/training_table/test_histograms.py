"""Histograms of training rows: bins that fit ties, and files that are not believed unread."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import BundleError
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference, bin_edges, histogram_of

SCHEMA = Schema(
    features=(
        Feature(name="size", kind="numeric", missing=True),
        Feature(name="colour", kind="categorical", categories=("blue", "red")),
    ),
    target="kind",
    classes=("a", "b"),
)
REFERENCE = Reference(
    numeric=(Histogram(edges=(1.0, 2.5), counts=(3, 4, 5), missing=1, mean=2.0, deviation=0.5),),
    categorical=(Histogram(counts=(6, 7), missing=0),),
    labels=(8, 5),
    predicted=(2, 1),
)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        (range(1, 101), [11, 21, 31, 41, 51, 61, 71, 81, 91]),
        ([0] * 95 + [1] * 5, [0]),
        ([0] * 5 + [1] * 95, [0]),
        ([7, 7, 7], []),
        # Half of the values are 5: it has a bin of its own, from just above 4 to 5.
        ([1, 2, 3, 4] * 5 + [5] * 40 + [6, 7, 8, 9] * 5, [2, 4, 5, 6, 8]),
    ],
)
def test_edges_of_tables_that_can_be_counted_by_hand(values: Any, edges: list[float]) -> None:
    assert bin_edges(np.array(list(values), dtype=float)).tolist() == edges


@given(st.lists(st.integers(-5, 5) | st.floats(-1e9, 1e9), min_size=1, max_size=200))
def test_bins_hold_every_value_once_and_no_frequent_one_with_others(values: list[float]) -> None:
    column = np.array(values, dtype=float)
    histogram = histogram_of(np.append(column, np.nan))
    assert (histogram.rows, histogram.missing) == (len(values) + 1, 1)
    cut = pd.cut(column, [-np.inf, *histogram.edges, np.inf], labels=False)
    assert list(histogram.counts) == np.bincount(cut, minlength=len(histogram.counts)).tolist()
    assert 0 not in histogram.counts
    for times in pd.Series(column).value_counts().tolist():
        if times > 0.2 * len(values) + 2:
            assert times in histogram.counts


def test_json_leads_there_and_back() -> None:
    again = Reference.from_json(json.loads(json.dumps(REFERENCE.to_json())), SCHEMA)
    assert again == REFERENCE


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("labels",), [8]),
        (("labels",), [8, -1]),
        (("labels",), [2**53, 1]),
        (("predicted",), [1.5, 2]),
        (("numeric", 0, "missing"), 2**53),
        (("numeric", 0, "deviation"), -1.0),
        (("numeric",), []),
        (("numeric", 0, "edges"), [2.5, 1.0]),
        (("numeric", 0, "edges"), [1.0, "2"]),
        (("numeric", 0, "edges"), [1.0]),
        (("numeric", 0, "mean"), None),
        (("numeric", 0, "missing"), True),
        (("categorical", 0, "counts"), [1, 2, 3]),
        (("categorical", 0), 3),
        (("more",), 1),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(where: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(REFERENCE.to_json()))
    place = document
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises(BundleError, match=r"^reference: "):
        Reference.from_json(document, SCHEMA)
