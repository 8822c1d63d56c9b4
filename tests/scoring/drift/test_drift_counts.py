"""What is counted does not depend on order, blocks, parts or runs."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.scoring.drift.drift_report import build_drift_report
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.scoring.rows.row_sample import RowSample
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference

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


def counted(*parts, **sizes) -> DriftCounts:
    counts = DriftCounts(REFERENCE, **sizes)
    for part in parts:
        counts.count(*arrays(part))
    return counts


def told(counts: DriftCounts) -> str:
    return json.dumps(counts.state())


# A sample so small, flushed so often, that most rows fall out of it; the same where all contents
# are known by heart, alone in their places or not; and blocks that wait for each other.
SMALL = partial(RowSample, most_rows=8, most_waiting=0)
FORGETFUL, CROWDED = partial(SMALL, known=0), partial(SMALL, place_bits=2)


@pytest.mark.parametrize("at_once", [0, 40])
@pytest.mark.parametrize("sampler", [FORGETFUL, SMALL, CROWDED])
@settings(max_examples=50)
@given(rows=ROWS, one=st.integers(0, 80), other=st.integers(0, 80), random=st.randoms())
def test_parts_and_order_change_nothing(rows, one, other, random, sampler, at_once) -> None:
    sizes = {"at_once": at_once, "sampler": sampler}
    whole = counted(rows, **sizes)
    first, second = sorted((one, other))
    parts = [rows[:first], rows[first:second], rows[second:]]
    assert told(counted(*parts, **sizes)) == told(whole)
    joined = DriftCounts(REFERENCE, **sizes)
    for part in parts:
        joined.add(json.loads(json.dumps(counted(part, **sizes).state())))
    assert told(joined) == told(whole)
    random.shuffle(rows)
    assert told(counted(rows, **sizes)) == told(whole)


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


def test_numbers_of_few_digits_have_hashes_of_their_own() -> None:
    """Whole numbers end in many zeros; 64**3 rows in 2**64 places should never meet."""
    grid = np.stack(np.meshgrid(*[np.arange(64.0)] * 3), axis=-1).reshape(-1, 3)
    hashes = RowSample(3)._hashes(np.asfortranarray(grid))
    assert len(np.unique(hashes)) == len(grid)
    # And they are spread evenly: in 4,096 places 64 each, with a deviation of 8.
    each = np.bincount((hashes >> np.uint64(52)).astype(int), minlength=4_096)
    assert each.std() == pytest.approx(8, rel=0.25)


def test_an_empty_place_is_no_content() -> None:
    """Hashes of 0 and of 2**64 - 1 are as good as others."""
    sample = RowSample(1)
    sample.draw(np.ones((3_000, 1)))
    for hashes in (np.zeros(5, np.uint64), np.full(5, 2**64 - 1, np.uint64)):
        assert len(sample._unknown(hashes, 1)) == 5


@pytest.mark.parametrize("contents", [5, 300, 3_000])
def test_tables_of_few_contents_are_counted_as_any(contents: int) -> None:
    """Known by heart or not: the counts are NumPy's, the sample's those of pandas."""
    generator = np.random.default_rng(4)
    distinct = np.column_stack([generator.normal(1, 1, size=(contents, 2)), np.zeros(contents)])
    # Some are frequent, and one comes late.
    drawn = np.sort(generator.integers(contents - 1, size=(40_000, 3)).min(axis=1)[:30_000])
    rows = distinct[[*generator.permutation(drawn), contents - 1]]
    counts = counted(*np.array_split(rows, 9))
    bins = np.searchsorted([0, 1, 2], rows[:, 0])
    for _ in range(2):
        assert counts.numeric[0].tolist() == np.bincount(bins, minlength=4).tolist()
        assert counts.missing.tolist() == [0, 0]
    counts.count(*arrays(rows))
    for _ in range(2):
        assert counts.numeric[0].tolist() == (2 * np.bincount(bins, minlength=4)).tolist()
    times = 2 * pd.DataFrame(rows[:, :2]).value_counts()
    sample, found = counts.sample()
    assert len(sample) == min(len(times), 256)
    assert found.tolist() == [times[tuple(row)] for row in sample]


def test_stretches_of_a_file_are_counted_whatever_its_blocks() -> None:
    """Numbered rows of 2 to 80 bytes: of eight stretches one, and each row there for eight."""
    generator = np.random.default_rng(8)
    lengths = generator.integers(2, 80, size=150_000)
    ends = 100 + np.cumsum(lengths)
    numeric = np.column_stack([np.arange(150_000.0), np.zeros(150_000)])
    reference = Reference(
        numeric=(
            Histogram(
                edges=tuple(np.arange(1_000.0, 150_000, 1_000)), counts=(1,) * 150, missing=0
            ),
            Histogram(edges=(), counts=(4,), missing=0),
        ),
        categorical=(),
        labels=(2, 2),
    )
    codes = np.empty((150_000, 0), dtype=np.int64)

    def count(cuts) -> DriftCounts:
        counts = DriftCounts(reference)
        for first, last in pairwise([0, *cuts, 150_000]):
            began = int(ends[first] - lengths[first])
            rows = slice(first, last)
            counts.count(numeric[rows], codes[rows], ends[rows] - began, began)
        return counts

    whole = count([])
    for blocks in (3, 40, 1_000):
        assert told(count(np.sort(generator.integers(150_000, size=blocks)))) == told(whole)
    # All of the first MiB, behind it an eighth of the rows for all, and every part of the file.
    assert whole.rows == pytest.approx(150_000, abs=8 * 2**16 / 41)
    found = whole.numeric[0]
    first = int(np.searchsorted(ends, 2**20)) // 1_000
    assert (found[:first] == [1_001, *[1_000] * (first - 1)]).all()
    assert found[first:].max() > 2_000
    assert set(np.diff(np.flatnonzero(found))) <= set(range(1, 13))
    # A file's rows that nobody says the places of are all counted.
    all_rows = DriftCounts(reference)
    all_rows.count(numeric, codes)
    assert all_rows.rows == 150_000


def test_rows_that_stand_for_others_tell_less_than_those_would() -> None:
    """Ten of 64 KiB: the first sixteen stretches whole, then one of eight."""
    counts = DriftCounts(REFERENCE)
    rows = [(0.5, 0.0, 0)] * 160
    numeric, codes = arrays(rows)
    counts.count(numeric, codes, np.arange(1, 161) * 65_536 - 1)
    # 16 rows for one each, then those of stretches 16, 24, ..., 152 for eight each.
    assert counts.rows == 16 + 18 * 8
    assert counts.effective * counts.rows == pytest.approx(160**2 / (16 + 18 * 64))
    again = DriftCounts(REFERENCE)
    again.add(json.loads(told(counts)))
    assert again.effective == counts.effective


@pytest.mark.parametrize(("rows", "width"), [(60, 75_000), (200, 50_000), (400, 20_000)])
def test_wide_records_are_no_drift(rows: int, width: int) -> None:
    """Files of few and wide rows, drawn from what the reference was drawn from."""
    generator = np.random.default_rng(60)
    trained = generator.normal(size=(500, 3))
    edges = np.quantile(trained, np.arange(1, 10) / 10, axis=0).T
    histograms = tuple(
        Histogram(edges=tuple(own), counts=(50,) * 10, missing=0, mean=0.0, deviation=1.0)
        for own in edges
    )
    reference = Reference(numeric=histograms, categorical=(), labels=(500,))
    features = tuple(Feature(name=name, kind="numeric") for name in "abc")
    schema = Schema(features=features, target="t", classes=("x",), missing_values=())
    stops = np.arange(1, rows + 1) * width
    alarms = 0
    for _ in range(100):
        counts = DriftCounts(reference)
        numeric = generator.normal(size=(rows, 3))
        counts.count(numeric, np.empty((rows, 0), dtype=np.int64), stops)
        report = build_drift_report(
            schema, reference, counts, [rows], {}, threshold=0.25, min_rows=30
        )
        alarms += report.detected
    assert alarms <= 1


@pytest.mark.parametrize("columns", [1, 40])
def test_a_report_flushes_what_was_counted_as_often_for_many_columns(columns) -> None:
    """To flush takes a look at every column: once for each of them would be quadratic."""
    flushed = []

    class Counts(DriftCounts):
        def _flush(self) -> None:
            flushed.append(self)
            super()._flush()

    own = Histogram(edges=(0.0,), counts=(50, 50), missing=0, mean=0.0, deviation=1.0)
    reference = Reference(numeric=(own,) * columns, categorical=(), labels=(100,))
    features = tuple(Feature(name=f"c{f}", kind="numeric") for f in range(columns))
    schema = Schema(features=features, target="t", classes=("x",))
    counts = Counts(reference)
    counts.count(np.full((50, columns), 1.0), np.empty((50, 0), dtype=np.int64))
    report = build_drift_report(schema, reference, counts, [50], {}, threshold=0.25, min_rows=30)
    assert len(report.drifted) == columns
    assert len(flushed) == 3
