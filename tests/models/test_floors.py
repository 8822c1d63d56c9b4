"""Floors: what a model must reach whatever is in production."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.errors import SettingsError
from ffn.models.evaluation import evaluate_probabilities
from ffn.models.floors import calibration_error, check_floors
from ffn.models.gate_settings import GateSettings

# Ten rows of a, of which 9 are found, ten of b, of which 7 are.
LABELS = np.repeat([0, 1], 10)
ANSWERS = np.array([0] * 9 + [1] + [1] * 7 + [0] * 3)
PROBABILITIES = np.where(np.arange(2) == ANSWERS[:, None], 0.9, 0.1)
EVALUATION = evaluate_probabilities(PROBABILITIES, LABELS, ("a", "b"), seed=0)


def broken(**settings: object) -> list[str]:
    floors = check_floors(GateSettings(**settings), EVALUATION, calibration=0.1)
    return [f"{floor.setting}: {floor.what}" for floor in floors if not floor.held]


def test_without_floors_nothing_is_checked() -> None:
    assert check_floors(GateSettings(), EVALUATION, calibration=1.0) == ()


def test_a_figure_on_the_floor_holds_and_one_below_does_not() -> None:
    assert broken(min_accuracy=0.8) == []
    assert broken(min_accuracy=0.81) == ["min_accuracy: accuracy"]
    assert broken(min_recall=0.7) == []
    assert broken(min_recall=0.8) == ['min_recall: recall of "b"']
    assert broken(max_calibration_error=0.1) == []
    assert broken(max_calibration_error=0.09) == ["max_calibration_error: calibration error"]


def test_a_class_may_have_a_floor_of_its_own() -> None:
    assert broken(min_recall=0.9, min_recalls={"b": 0.6}) == []
    assert broken(min_recalls={"a": 0.95}) == ['min_recalls: recall of "a"']


def test_a_floor_for_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'gate\.min_recalls names "A", .*Did you mean "a"\?'):
        broken(min_recalls={"A": 0.9})


def test_calibration_error_by_hand() -> None:
    """Confidence 0.9 ten times, 8 right: gap 0.1; 0.6 ten times, 9 right: gap 0.3."""
    probabilities = np.repeat([[0.9, 0.1], [0.6, 0.4]], 10, axis=0)
    labels = np.array([0] * 8 + [1] * 2 + [0] * 9 + [1])
    assert calibration_error(probabilities, labels) == pytest.approx((10 * 0.1 + 10 * 0.3) / 20)


def test_confidences_of_one_bin_balance_each_other() -> None:
    """0.81 and 0.85 lie in the bin (0.8, 13/15]: of two rows one right, so 0.83 - 0.5."""
    probabilities = np.array([[0.81, 0.19], [0.85, 0.15]])
    assert calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.33)


def test_certainty_that_is_right_is_calibrated() -> None:
    assert calibration_error(np.eye(3), np.arange(3)) == 0
    assert calibration_error(np.eye(3), np.array([1, 2, 0])) == 1
