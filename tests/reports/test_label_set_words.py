"""The sentences on label sets are made of their figures."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.evaluation.inference.statistics import wilson
from ffn.evaluation.label_set_evaluation import evaluate_label_sets
from ffn.reports.decision_section import held_sentence, set_sentence

# Four rows of the first class, of which one is missed, and two of the second.
MEMBERS = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [0, 1], [1, 1]], dtype=bool)
LABELS = np.array([0, 0, 0, 0, 1, 1])


def test_coverage_size_and_single_labels_by_hand() -> None:
    found = evaluate_label_sets(MEMBERS, LABELS)
    assert found.coverage == wilson(5, 6)
    assert found.of_classes == (wilson(3, 4), wilson(2, 2))
    assert found.single == wilson(4, 6)
    assert found.mean_size == pytest.approx(8 / 6)
    # Rows of one group count as one: four groups of which all sets of one are wrong.
    grouped = evaluate_label_sets(MEMBERS, LABELS, np.array([0, 0, 1, 2, 3, 3]))
    assert grouped.coverage.value == found.coverage.value
    assert grouped.coverage.low < found.coverage.low


def test_the_sentences() -> None:
    found = evaluate_label_sets(MEMBERS, LABELS)
    held = (
        "On 6 held-out rows label sets hold the class in 0.833 [0.436, 0.970]; 0.667 [0.300, "
        "0.903] of the sets have a single label, and the mean size is 1.33."
    )
    assert held_sentence(found, "6 held-out rows") == held
    assert set_sentence(0.9, 1_320, found, "6 held-out rows") == (
        "Label sets, calibrated on 1,320 rows that are neither trained on nor held out, hold a "
        "row's class with a probability of at least 0.9, whichever class it is (split conformal "
        f"prediction). {held}"
    )
