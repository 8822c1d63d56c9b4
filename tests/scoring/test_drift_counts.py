"""What is counted does not depend on order, blocks, parts or runs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.scoring import drift
from ffn.scoring.drift import DriftCounts
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.reference import Histogram, Reference

REFERENCE = Reference(
    numeric=(
        Histogram(edges=(0.0, 1.0, 2.0), counts=(1, 1, 1, 1), missing=1),
        Histogram(edges=(), counts=(4,), missing=0),
    ),
    categorical=(Histogram(counts=(2, 2), missing=0),),
    labels=(2, 2),
)
NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("nan")]) | st.floats(-5, 5)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([UNKNOWN, MISSING, 0, 1])), max_size=80)


def arrays(rows):
    table = np.array(rows, dtype=float).reshape(-1, 3)
    return table[:, :2], table[:, 2].astype(np.int64)[:, None]


def counted(*parts) -> DriftCounts:
    counts = DriftCounts(REFERENCE)
    for part in parts:
        counts.count(*arrays(part))
    return counts


def told(counts: DriftCounts) -> str:
    return json.dumps(counts.state())


@given(ROWS, st.integers(0, 80), st.integers(0, 80), st.randoms())
def test_parts_and_order_change_nothing(rows, one, other, random) -> None:
    # A sample so small, settled so often, that most rows fall out of it.
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_MOST_ROWS", 8), ("_LEAST_ROWS", 8), ("_MOST_WAITING", 0)):
            patch.setattr(drift, name, value)
        whole = counted(rows)
        first, second = sorted((one, other))
        parts = [rows[:first], rows[first:second], rows[second:]]
        assert told(counted(*parts)) == told(whole)
        joined = DriftCounts(REFERENCE)
        for part in parts:
            joined.add(json.loads(json.dumps(counted(part).state())))
        assert told(joined) == told(whole)
        random.shuffle(rows)
        assert told(counted(rows)) == told(whole)


@given(ROWS)
def test_counts_are_those_of_pandas(rows) -> None:
    counts = counted(rows)
    numeric, codes = arrays(rows)
    cut = pd.cut(pd.Series(numeric[:, 0]), [-np.inf, 0, 1, 2, np.inf])
    assert counts.numeric[0].tolist() == cut.value_counts(sort=False).tolist()
    assert counts.numeric[1].tolist() == [np.count_nonzero(~np.isnan(numeric[:, 1]))]
    assert counts.missing.tolist() == np.isnan(numeric).sum(axis=0).tolist()
    by_code = [np.count_nonzero(codes == code) for code in (UNKNOWN, MISSING, 0, 1)]
    assert counts.categorical[0].tolist() == by_code


def test_the_sample_is_bounded_and_like_the_rows() -> None:
    """Of 20,000 rows, a third of which are alike: each content with all its rows, and no bias."""
    generator = np.random.default_rng(3)
    rows = np.column_stack([generator.normal(size=(20_000, 2)), np.zeros(20_000)])
    counts = counted(*np.array_split(rows, 7))
    sample, times = counts.sample()
    assert sample.shape == (256, 2)
    assert (times == 1).all()
    assert (counted(rows, rows).sample()[1] == 2).all()
    # Four standard errors of the mean of 256 numbers.
    assert np.abs(sample.mean(axis=0)) == pytest.approx([0, 0], abs=4 / 16)
    few = np.repeat(generator.normal(size=(5, 3)) * [1, 1, 0], [1, 10, 100, 1_000, 3], axis=0)
    assert sorted(counted(few).sample()[1].tolist()) == [1, 3, 10, 100, 1_000]
