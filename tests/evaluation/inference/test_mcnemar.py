"""The exact test of two accuracies and its interval: they never contradict each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ffn.evaluation.inference.mcnemar import compatible_interval, two_sided_p
from ffn.evaluation.inference.paired import LabelCounts


def counts(gained: int, lost: int, rows: int) -> LabelCounts:
    return LabelCounts(rows=rows, gained=gained, lost=lost, production_wrong=gained)


@st.composite
def any_counts(draw: st.DrawFn) -> LabelCounts:
    gained, lost = draw(st.integers(0, 60)), draw(st.integers(0, 60))
    same = draw(st.sampled_from([0, 1, 7, 400, 3_000]))
    return counts(gained, lost, max(1, gained + lost + same))


@settings(max_examples=60, deadline=None)
@given(any_counts())
def test_the_interval_leaves_out_zero_exactly_where_the_test_rejects(found: LabelCounts) -> None:
    """The p-value is SciPy's: for a share of one half the binomial test is symmetric."""
    changed = found.gained + found.lost
    p = stats.binomtest(found.gained, changed).pvalue if changed else 1.0
    assert two_sided_p(found) == pytest.approx(p)
    interval = compatible_interval(found)
    assert (p < 0.05) == (interval.low > 0 or interval.high < 0)
    assert -1 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.value == (found.gained - found.lost) / found.rows


@settings(max_examples=60, deadline=None)
@given(any_counts())
def test_the_other_way_round_is_the_opposite(found: LabelCounts) -> None:
    one = compatible_interval(found)
    other = compatible_interval(counts(found.lost, found.gained, found.rows))
    assert (one.low, one.high) == (-other.high, -other.low)


@pytest.mark.parametrize(
    ("gained", "lost", "rows"),
    [(16, 4, 400), (0, 46, 400), (1, 0, 50), (0, 6, 30), (5, 0, 5), (3, 2, 5), (10, 10, 40),
     (9, 2, 161), (200, 120, 3_000), (0, 0, 25)],
)  # fmt: skip
def test_the_bounds_are_the_quantiles_that_the_paper_defines(
    gained: int, lost: int, rows: int
) -> None:
    """By draws from the Beta distributions, for either distribution of the share that changed."""
    generator, draws, changed = np.random.default_rng(1), 200_000, gained + lost

    def lower(gained: int, lost: int) -> float:
        none, all_ = np.zeros(draws), np.ones(draws)
        share = generator.beta(gained, lost + 1, draws) if gained else none
        least = generator.beta(changed, rows - changed + 1, draws) if changed else none
        most = generator.beta(changed + 1, rows - changed, draws) if changed < rows else all_
        return min(np.quantile(of_all * (2 * share - 1), 0.025) for of_all in (least, most))

    found = compatible_interval(counts(gained, lost, rows))
    # 200,000 draws know these quantiles to a hundredth of their size.
    assert found.low == pytest.approx(lower(gained, lost), rel=0.02, abs=4e-3)
    assert found.high == pytest.approx(-lower(lost, gained), rel=0.02, abs=4e-3)


def test_without_a_changed_row_the_bounds_are_clopper_and_pearsons() -> None:
    """By hand: 1 - 0.025 ** (1 / n) is the exact bound for none of n."""
    found = compatible_interval(counts(0, 0, 25))
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 25))


def test_it_covers_in_95_of_100_cases_or_more() -> None:
    """Exactly, by the probability of every table of twelve rows."""
    rows = 12
    tables = [(g, lost) for g in range(rows + 1) for lost in range(rows + 1 - g)]
    bounds = [compatible_interval(counts(*table, rows)) for table in tables]
    for gain, loss in itertools.product([0.0, 0.05, 0.3], [0.02, 0.1, 0.4]):
        shares = [gain, loss, 1 - gain - loss]
        covered = sum(
            float(stats.multinomial.pmf([*table, rows - sum(table)], rows, shares))
            for table, interval in zip(tables, bounds, strict=True)
            if interval.low <= gain - loss <= interval.high
        )
        assert covered >= 0.95
