"""Ranking metrics against scikit-learn, DeLong's definition and a bootstrap."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from ffn.evaluation.inference.statistics import Interval, effective_wilson, wilson
from ffn.evaluation.ranking_metrics import rank_rows

Z = stats.norm.ppf(0.975)


def draw(sizes: tuple[int, ...], seed: int, decimals: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that lean towards the labels, rounded so that few decimals give ties."""
    rng, c = np.random.default_rng(seed), len(sizes)
    labels = rng.permutation(np.repeat(np.arange(c), sizes))
    scores = np.exp(rng.normal(size=(len(labels), c)) + np.eye(c)[labels])
    probabilities = np.round(scores / scores.sum(axis=1, keepdims=True), decimals)
    probabilities[:, -1] = 1 - probabilities[:, :-1].sum(axis=1)
    return probabilities, labels


def effective_rows(figure: Interval) -> float:
    """Number of rows that Wilson's score test has to have for the lower bound to be its root."""
    return Z**2 * figure.low * (1 - figure.low) / (figure.value - figure.low) ** 2


def variance(figure: Interval) -> float:
    return figure.value * (1 - figure.value) / effective_rows(figure)


@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=5).map(tuple),
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 2, 9]),
)
def test_the_figures_are_scikit_learns(sizes: tuple[int, ...], seed: int, decimals: int) -> None:
    probabilities, labels = draw(sizes, seed, decimals)
    found = rank_rows(probabilities, labels)
    expected = [
        (
            metrics.roc_auc_score(labels == label, probabilities[:, label]),
            metrics.average_precision_score(labels == label, probabilities[:, label]),
        )
        for label in range(len(sizes))
    ]
    areas, precisions = zip(*expected, strict=True)
    assert [one.value for one in found.auc] == pytest.approx(areas)
    assert [one.value for one in found.average_precision] == pytest.approx(precisions)
    assert found.mean_auc.value == pytest.approx(np.mean(areas))
    assert found.mean_average_precision.value == pytest.approx(np.mean(precisions))
    means = (found.mean_auc, found.mean_average_precision)
    for one in (*found.auc, *found.average_precision, *means):
        assert 0 <= one.low <= one.value <= one.high <= 1
        assert one.low < one.high


def test_the_mean_is_scikit_learns_one_versus_rest() -> None:
    probabilities, labels = draw((30, 10, 25), seed=1)
    expected = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert rank_rows(probabilities, labels).mean_auc.value == pytest.approx(expected)


def delong(scores: npt.NDArray[np.float64], own: npt.NDArray[np.bool_]) -> float:
    """Variance of the AUC from all pairs, as DeLong, DeLong and Clarke-Pearson define it."""
    ours, others = scores[own][:, None], scores[~own]
    kernel = (ours > others) + 0.5 * (ours == others)
    m, n = kernel.shape
    return kernel.mean(axis=1).var(ddof=1) / m + kernel.mean(axis=0).var(ddof=1) / n


@pytest.mark.parametrize(("decimals", "sizes"), [(9, (40, 30)), (1, (40, 30)), (2, (25, 60, 40))])
def test_the_variance_of_the_auc_is_delongs(decimals: int, sizes: tuple[int, ...]) -> None:
    probabilities, labels = draw(sizes, seed=4, decimals=decimals)
    found = rank_rows(probabilities, labels)
    for label, figure in enumerate(found.auc):
        expected = delong(probabilities[:, label], labels == label)
        # No bound on the effective number of rows takes part here.
        assert variance(figure) == pytest.approx(expected, rel=1e-6)


def test_delongs_variance_by_hand() -> None:
    """Rows of the class at 3, 5 and others at 1, 2, 4: placements 2/3, 1 and 1, 1, 1/2."""
    scores = np.array([3, 5, 1, 2, 4]) / 10
    labels = np.array([1, 1, 0, 0, 0])
    assert delong(scores, labels == 1) == pytest.approx((1 / 18) / 2 + (1 / 12) / 3)
    found = rank_rows(np.stack((1 - scores, scores), axis=1), labels).auc[1]
    assert found.value == pytest.approx(5 / 6)
    # Two pairs without a common row, so at most six effective rows; these are 2.5.
    assert variance(found) == pytest.approx(1 / 18)


@pytest.mark.parametrize("figure", ["auc", "average_precision"])
def test_the_variance_is_what_a_bootstrap_finds(figure: str) -> None:
    """Of each class, and of the mean over classes that share their rows."""
    probabilities, labels = draw((150, 400, 250), seed=2)
    found, rng = rank_rows(probabilities, labels), np.random.default_rng(3)
    places = [np.flatnonzero(labels == label) for label in range(3)]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([rng.choice(place, len(place)) for place in places])
        again = rank_rows(probabilities[rows], labels[rows])
        drawn.append(
            [one.value for one in (*getattr(again, figure), getattr(again, f"mean_{figure}"))]
        )
    spread = np.std(drawn, axis=0)
    # The rows of one class are told from a mixture of two, whose shares the bootstrap keeps.
    assert np.sqrt(variance(getattr(found, f"mean_{figure}"))) == pytest.approx(spread[3], rel=0.12)
    for one, expected, place in zip(getattr(found, figure), spread, places, strict=False):
        # Average precision has at most as many effective rows as the class has rows.
        least = np.sqrt(one.value * (1 - one.value) / len(place)) if "precision" in figure else 0
        assert np.sqrt(variance(one)) == pytest.approx(max(expected, least), rel=0.15)


@given(st.integers(1, 40), st.integers(1, 40))
def test_perfectly_separated_rows_are_not_certain(ours: int, others: int) -> None:
    """All pairs without a common row are ordered with probability AUC to their number."""
    labels = np.repeat([1, 0], [ours, others])
    scores = np.where(labels, 0.9, 0.1)
    found = rank_rows(np.stack((1 - scores, scores), axis=1), labels)
    expected = wilson(min(ours, others), min(ours, others))
    assert found.auc[1].value == found.auc[1].high == 1
    assert found.auc[1].low == pytest.approx(expected.low)
    assert found.average_precision[1] == found.auc[1]


def test_the_mean_over_three_perfect_classes_counts_each_row_once() -> None:
    labels = np.repeat([0, 1, 2], 10)
    found = rank_rows(np.eye(3)[labels], labels)
    assert found.mean_auc.low == pytest.approx(wilson(15, 15).low)
    assert found.mean_average_precision == found.mean_auc


def test_scores_without_information_rank_nothing() -> None:
    labels = np.repeat([0, 1], [80, 20])
    found = rank_rows(np.full((100, 2), [0.8, 0.2]), labels)
    assert [one.value for one in found.auc] == [0.5, 0.5]
    assert [one.value for one in found.average_precision] == [0.8, 0.2]


@given(st.integers(0, 2**32))
def test_only_the_order_of_the_scores_counts(seed: int) -> None:
    probabilities, labels = draw((9, 14, 7), seed)
    assert rank_rows(probabilities**3 / 2, labels) == rank_rows(probabilities, labels)


def test_a_class_without_rows_has_no_figures_and_is_left_out_of_the_mean() -> None:
    probabilities, labels = draw((20, 30), seed=8)
    two = rank_rows(probabilities, labels)
    three = rank_rows(np.column_stack((probabilities, np.zeros(50))), labels)
    assert math.isnan(three.auc[2].value)
    assert (three.average_precision[2].low, three.average_precision[2].high) == (0, 1)
    assert three.mean_auc.value == pytest.approx(two.mean_auc.value)
    lonely = rank_rows(np.full((5, 2), 0.5), np.zeros(5, dtype=int))
    assert math.isnan(lonely.mean_auc.value)
    assert math.isnan(lonely.average_precision[0].value)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilsons_interval_at_a_whole_number_of_rows_is_wilsons(hits: int, more: int) -> None:
    n = hits + more
    found, expected = effective_wilson(hits / n, n), wilson(hits, n)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-12
    )
