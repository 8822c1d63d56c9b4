"""Floors: what a model must reach whatever is in production."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.errors import SettingsError
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.promotion.floors import check_floors
from ffn.settings.gate_settings import GateSettings

# Ten rows of a, of which 9 are found, ten of b, of which 7 are.
LABELS = np.repeat([0, 1], 10)
ANSWERS = np.array([0] * 9 + [1] + [1] * 7 + [0] * 3)
PROBABILITIES = np.where(np.arange(2) == ANSWERS[:, None], 0.9, 0.1)
EVALUATION = evaluate_probabilities(PROBABILITIES, LABELS, ("a", "b"), seed=0, usual=0)


def broken(**settings: object) -> list[str]:
    floors = check_floors(GateSettings(**settings), EVALUATION)
    return [f"{floor.setting}: {floor.what}" for floor in floors if not floor.held]


def test_without_floors_nothing_is_checked() -> None:
    assert check_floors(GateSettings(), EVALUATION) == ()


def test_a_figure_on_the_floor_holds_and_one_below_does_not() -> None:
    assert broken(min_accuracy=0.8) == []
    assert broken(min_accuracy=0.81) == ["min_accuracy: accuracy"]
    assert broken(min_recall=0.7) == []
    assert broken(min_recall=0.8) == ['min_recall: recall of "b"']
    # All confidences are 0.9, and 16 of 20 rows are right.
    assert broken(max_calibration_error=0.1001) == []
    assert broken(max_calibration_error=0.0999) == ["max_calibration_error: calibration error"]


def test_a_class_may_have_a_floor_of_its_own() -> None:
    assert broken(min_recall=0.9, min_recalls={"b": 0.6}) == []
    assert broken(min_recalls={"a": 0.95}) == ['min_recalls: recall of "a"']


def test_the_figures_of_rare_classes_may_have_floors() -> None:
    """Recalls 0.9 and 0.7. All scores are 0.9 or 0.1, so the ROC curve has one corner."""
    assert broken(min_balanced_accuracy=0.8) == []
    assert broken(min_balanced_accuracy=0.81) == ["min_balanced_accuracy: balanced accuracy"]
    assert broken(min_auc=0.8) == []
    assert broken(min_auc=0.81) == ["min_auc: ROC-AUC"]
    # Of b: precision 7 of 8 at the recall of 0.7, then a half.
    expected = 0.7 * 7 / 8 + 0.3 * 10 / 20
    of_b = 'min_average_precision: average precision of "b"'
    assert broken(min_average_precision=expected - 1e-9) == []
    assert broken(min_average_precision=expected + 1e-9) == [of_b]


def test_a_floor_for_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'gate\.min_recalls names "A", .*Did you mean "a"\?'):
        broken(min_recalls={"A": 0.9})
