"""Figures on held-out rows against scikit-learn and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from ffn.evaluation.class_means import balanced_accuracy, macro_f1
from ffn.evaluation.inference.statistics import wilson
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.promotion.register import jsonable
from ffn.storage.documents import canonical_json

CLASSES = ("a", "b", "c", "d")


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the first three classes, and probabilities that lean towards them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    scores = rng.normal(size=(n, 4)) + 1.5 * np.eye(4)[labels]
    probabilities = np.exp(scores)
    return probabilities / probabilities.sum(axis=1, keepdims=True), labels


@given(st.integers(2, 60), st.integers(0, 2**32))
def test_figures_are_scikit_learns(n: int, seed: int) -> None:
    probabilities, labels = draw(n, seed)
    predicted = probabilities.argmax(axis=1)
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0)

    all_classes = range(len(CLASSES))
    expected = metrics.confusion_matrix(labels, predicted, labels=all_classes)
    recall = metrics.recall_score(
        labels, predicted, labels=all_classes, average=None, zero_division=np.nan
    )
    precision = metrics.precision_score(
        labels, predicted, labels=all_classes, average=None, zero_division=np.nan
    )
    np.testing.assert_array_equal(found.confusion, expected)
    assert found.rows == n
    assert found.correct == metrics.accuracy_score(labels, predicted, normalize=False)
    assert found.accuracy.value == metrics.accuracy_score(labels, predicted)
    assert found.log_loss.value == pytest.approx(
        metrics.log_loss(labels, probabilities, labels=all_classes)
    )
    expected_f1 = metrics.f1_score(
        labels, predicted, labels=all_classes, average="macro", zero_division=np.nan
    )
    assert found.macro_f1.value == pytest.approx(expected_f1)
    assert 0 <= found.macro_f1.low <= found.macro_f1.value <= found.macro_f1.high <= 1
    one_hot = np.eye(4)[labels]
    assert found.brier.value == pytest.approx(np.square(probabilities - one_hot).sum(axis=1).mean())
    np.testing.assert_allclose([c.recall.value for c in found.classes], recall)
    np.testing.assert_allclose([c.precision.value for c in found.classes], precision)
    assert [c.name for c in found.classes] == list(CLASSES)
    assert [c.rows for c in found.classes] == expected.sum(axis=1).tolist()


def test_what_is_kept_grows_with_the_rows_and_not_with_the_square_of_the_classes() -> None:
    classes = tuple(map(str, range(300)))
    labels = np.arange(600) % 300
    found = evaluate_probabilities(np.eye(300)[labels // 2], labels, classes, seed=0, usual=0)
    assert found.confusions == tuple((label, label // 2, 2) for label in range(300))
    assert found.predicted == (4,) * 150 + (0,) * 150
    assert len(canonical_json(jsonable(found))) < 300 * 700


def test_intervals_of_shares_are_wilsons() -> None:
    probabilities, labels = draw(50, seed=3)
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0)
    expected = stats.binomtest(found.correct, 50).proportion_ci(method="wilson")
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(tuple(expected))
    first = found.classes[0]
    hits, called = found.confusion[0][0], sum(row[0] for row in found.confusion)
    for figure, n in ((first.recall, first.rows), (first.precision, called)):
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (figure.low, figure.high) == pytest.approx(tuple(expected))


def test_the_usual_answer_is_what_training_rows_say_and_not_these() -> None:
    """Six of ten held-out rows are of another class than most of the training rows."""
    labels = np.array([0] * 4 + [1] * 6)
    found = evaluate_probabilities(np.full((10, 2), 0.5), labels, ("a", "b"), seed=0, usual=0)
    expected = stats.binomtest(4, 10).proportion_ci(method="wilson")
    assert found.baseline.value == 0.4
    assert (found.baseline.low, found.baseline.high) == pytest.approx(tuple(expected))


def test_a_class_without_rows_has_no_recall() -> None:
    probabilities, labels = draw(30, seed=0)
    recall = (
        evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0).classes[3].recall
    )
    assert math.isnan(recall.value)
    assert (recall.low, recall.high) == (0, 1)


def test_the_loss_has_a_bootstrap_interval() -> None:
    probabilities, labels = draw(80, seed=5)
    losses = -np.log(probabilities[np.arange(80), labels])
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=11, usual=0).log_loss
    expected = stats.bootstrap((losses,), np.mean, n_resamples=4_999, method="BCa", rng=11)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval))
    # Another road to the same interval, for a mean of 80: Student's t, within a tenth.
    low, high = stats.t.interval(0.95, 79, losses.mean(), stats.sem(losses))
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)


def test_many_rows_have_students_interval() -> None:
    probabilities, labels = draw(5_000, seed=7)
    losses = -np.log(probabilities[np.arange(5_000), labels])
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0).log_loss
    expected = stats.t.interval(0.95, 4_999, losses.mean(), stats.sem(losses))
    assert (found.low, found.high) == pytest.approx(expected)


def test_a_probability_of_zero_costs_much_and_not_infinity() -> None:
    probabilities = np.array([[1.0, 0.0], [0.9, 0.1], [0.2, 0.8]])
    found = evaluate_probabilities(probabilities, np.array([1, 0, 1]), ("a", "b"), seed=0, usual=0)
    assert 200 < found.log_loss.value < math.inf
    assert math.isfinite(found.log_loss.high)


@pytest.mark.parametrize("n", [2, 3, 2_500])
def test_equal_losses_bound_nothing(n: int) -> None:
    probabilities = np.tile([0.25, 0.75], (n, 1))
    # What rounding adds is no spread: a bootstrap of it would divide by zero.
    probabilities[0, 1] = np.nextafter(0.75, 1)
    loss = evaluate_probabilities(
        probabilities, np.ones(n, dtype=int), ("a", "b"), 0, usual=0
    ).log_loss
    assert (loss.low, loss.high) == (0, math.inf)
    assert loss.value == pytest.approx(math.log(4 / 3))


def test_one_row_bounds_nothing() -> None:
    loss = evaluate_probabilities(
        np.array([[0.5, 0.5]]), np.array([0]), ("a", "b"), 0, usual=0
    ).log_loss
    assert (loss.low, loss.high) == (0, math.inf)


@given(st.integers(2, 12), st.integers(0, 1000))
def test_any_few_rows_have_finite_figures(n: int, seed: int) -> None:
    """However certain and however right or wrong: no warning, no NaN, a bound or none."""
    rng = np.random.default_rng(seed)
    certain = rng.choice([0.0, 1e-300, 1e-12, 0.5, 1 - 1e-15, 1.0], n)
    probabilities = np.stack((certain, 1 - certain), axis=1)
    loss = evaluate_probabilities(
        probabilities, rng.integers(0, 2, n), ("a", "b"), 0, usual=0
    ).log_loss
    assert 0 <= loss.low <= loss.value * (1 + 1e-12)
    assert loss.value <= loss.high * (1 + 1e-12)


def test_the_brier_score_is_scikit_learns() -> None:
    probabilities, labels = draw(200, seed=2)
    expected = metrics.brier_score_loss(labels, probabilities, labels=range(4), scale_by_half=False)
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0).brier
    assert found.value == pytest.approx(expected)
    low, high = stats.t.interval(
        0.95, 199, found.value, stats.sem(np.square(probabilities - np.eye(4)[labels]).sum(axis=1))
    )
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.1)


@given(st.integers(2, 60), st.integers(0, 2**32))
def test_balanced_accuracy_is_scikit_learns(n: int, seed: int) -> None:
    probabilities, labels = draw(n, seed)
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0)
    there = sorted(set(labels.tolist()))
    expected = metrics.recall_score(
        labels, probabilities.argmax(axis=1), labels=there, average="macro"
    )
    figure = found.balanced_accuracy
    assert figure.value == pytest.approx(expected)
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
    # scikit-learn counts a class that is predicted and has no rows, and warns of a single one.
    if len(there) > 1 and set(probabilities.argmax(axis=1)) <= set(there):
        scikit = metrics.balanced_accuracy_score(labels, probabilities.argmax(axis=1))
        assert figure.value == pytest.approx(scikit)


def test_the_interval_of_balanced_accuracy_by_hand() -> None:
    """Recalls 0.9 of 10 and 0.75 of 20, moved by z^2 = 3.8415 to 0.7890 and 0.7097."""
    found = balanced_accuracy(np.array([9, 15, 0]), np.array([10, 20, 0]))
    assert found.value == pytest.approx(0.825)
    centre = (0.7890 + 0.7097) / 2
    effective = centre * (1 - centre) / ((0.7890 * 0.2110 / 10 + 0.7097 * 0.2903 / 20) / 4)
    # Both bounds solve the equation of Wilson's score test at this number of rows.
    for bound in (found.low, found.high):
        score = (0.825 - bound) ** 2 / (bound * (1 - bound) / effective)
        assert score == pytest.approx(3.8415, rel=2e-3)
    of_one = balanced_accuracy(np.array([27]), np.array([30]))
    assert (of_one.low, of_one.high) == pytest.approx((wilson(27, 30).low, wilson(27, 30).high))
    assert math.isnan(balanced_accuracy(np.array([0]), np.array([0])).value)


def test_of_two_classes_the_rarer_one_in_training_is_the_one_whose_precision_counts() -> None:
    """Although it is the more frequent one among these rows."""
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], [10, 40])
    own = rng.uniform(size=50) / 2 + labels / 2
    found = evaluate_probabilities(
        np.stack((1 - own, own), axis=1), labels, ("good", "bad"), seed=0, usual=0
    )
    assert found.positive == "bad"
    assert found.average_precision.value == pytest.approx(
        metrics.average_precision_score(labels, own)
    )
    assert found.auc.value == pytest.approx(metrics.roc_auc_score(labels, own))
    assert found.average_precision == found.classes[1].average_precision


def test_more_classes_count_equally() -> None:
    probabilities, labels = draw(60, seed=9)
    found = evaluate_probabilities(probabilities, labels, CLASSES, seed=0, usual=0)
    assert found.positive == ""
    for figure, score in (
        ("auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
    ):
        expected = [score(labels == label, probabilities[:, label]) for label in range(3)]
        assert getattr(found, figure).value == pytest.approx(np.mean(expected))


def test_a_hold_out_without_a_mistake_is_not_certain() -> None:
    """Wilson's interval of 30 of 30 begins at 0.886; a bootstrap's at 1."""
    found = macro_f1(np.diag([10, 10, 10]), seed=0)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(
        stats.binomtest(30, 30).proportion_ci(method="wilson").low, abs=0.03
    )


@pytest.mark.parametrize(
    ("sizes", "right"), [((10, 10, 10), 0.9), ((30, 14, 25), 0.97), ((200, 10), 0.9)]
)
def test_the_interval_of_macro_f1_covers(sizes: tuple[int, ...], right: float) -> None:
    """Confusions are drawn from known shares, whose own F1 it has to hold 19 times in 20."""
    c, rng = len(sizes), np.random.default_rng(1)
    shares = np.where(np.eye(c, dtype=bool), right, (1 - right) / (c - 1))
    expected = np.array(sizes)[:, None] * shares
    truth = (2 * expected.diagonal() / (expected.sum(axis=1) + expected.sum(axis=0))).mean()
    draws = 300
    found = [
        macro_f1(np.array([rng.multinomial(*pair) for pair in zip(sizes, shares, strict=True)]), n)
        for n in range(draws)
    ]
    covered = sum(interval.low <= truth <= interval.high for interval in found)
    assert stats.binomtest(covered, draws, 0.93, alternative="less").pvalue > 0.001
    assert covered < draws


def test_hundreds_of_classes_have_an_interval_too() -> None:
    counts = np.random.default_rng(0).integers(0, 3, (150, 150)) + 40 * np.eye(150, dtype=int)
    found = macro_f1(counts, seed=0)
    assert found.low < found.value < found.high < found.low + 0.05
