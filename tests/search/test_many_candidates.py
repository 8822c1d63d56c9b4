"""What is said of many candidates: how often equal ones are told apart, and what to expect."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from scipy import stats

from ffn.reports.pictures.search_losses import draw_search_losses
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.model_selection import ALPHA, select_best
from tests.helpers.histories import candidate

K, RATIO = 16, 0.25


def equals(generator: np.random.Generator, count: int) -> list[Candidate]:
    """Return equal candidates whose resamples share rows.

    Losses of two resamples are correlated by n_validation / (n_validation + n_training), the
    correlation for which Nadeau and Bengio (2003, section 3) made their correction.
    """
    shared = RATIO / (1 + RATIO)
    own = np.sqrt(shared) * generator.standard_normal((count, 1))
    own = own + np.sqrt(1 - shared) * generator.standard_normal((count, K))
    return [candidate(f"c{n}", 1 + 0.05 * losses, ratio=RATIO) for n, losses in enumerate(own)]


@pytest.mark.parametrize(("count", "trials"), [(2, 400), (12, 80), (40, 10)])
def test_equal_candidates_are_told_apart_in_at_most_one_of_twenty(count: int, trials: int) -> None:
    generator = np.random.default_rng(11)
    apart = 0
    for _ in range(trials):
        found = select_best(equals(generator, count), searched=True)
        apart += any(pair.p_value < ALPHA for pair in found.comparisons)
    # As many or more would be found at a true level of 0.05 with a probability below 1 %.
    assert apart <= stats.binom.ppf(0.99, trials, ALPHA)


def test_the_best_mean_of_equals_is_too_good_and_the_crossfitted_one_is_not() -> None:
    generator = np.random.default_rng(12)
    lowest, expected = [], []
    for _ in range(30):
        losses = 1 + 0.05 * generator.standard_normal((30, K))
        made = [candidate(f"c{n}", own, ratio=RATIO) for n, own in enumerate(losses)]
        found = select_best(made, searched=True)
        assert found.crossfitted is not None
        lowest.append(found.leaderboard[0].loss.value)
        expected.append(found.crossfitted.value)
    # The mean of the smallest of 30 standard normals is -2.0428 (Harter 1961, table 1).
    assert_allclose(np.mean(lowest), 1 - 2.0428 * 0.05 / np.sqrt(K), atol=0.003)
    assert_allclose(np.mean(expected), 1, atol=4 * 0.05 / np.sqrt(30 * K))


def test_by_hand() -> None:
    """Without resample 0 the second is best, without 1 and 2 the first: 0.9, 0.2 and 0.3."""
    first, second = [0.1, 0.2, 0.3], [0.9, 0.1, 0.1]
    made = [candidate("a", first, ratio=0.25), candidate("b", second, ratio=0.25)]
    found = select_best(made, searched=True)
    assert found.crossfitted is not None
    assert_allclose(found.crossfitted.value, (0.9 + 0.2 + 0.3) / 3)
    assert "chosen on the other ones, the mean validation log-loss is 0.467 [" in found.reason
    assert select_best(made).crossfitted is None


def test_the_picture_has_a_row_for_each_candidate_with_its_mean_and_interval() -> None:
    made = [candidate(f"adamw {n}", n + np.linspace(0, 0.1, 8)) for n in range(1, 60)]
    found = select_best(made, searched=True)
    figure = draw_search_losses(found.leaderboard, found.winner)
    assert isinstance(figure, Figure)
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.get_yticklabels()] == [
        f"adamw {n}" for n in range(1, 41)
    ]
    assert_allclose([line.get_xdata()[0] for line in panel.lines], np.arange(1, 41) + 0.05)
    bars = [bar.get_segments()[0][:, 0] for bar in panel.collections]
    assert_allclose(bars, [[one.loss.low, one.loss.high] for one in found.leaderboard[:40]])
