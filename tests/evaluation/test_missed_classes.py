"""What is said of classes that are never found."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.evaluation.metrics import evaluate_probabilities
from ffn.evaluation.missed_classes import class_warning, missed_classes


def said(labels: list[int], predicted: list[int], names: str) -> str:
    answers = np.eye(len(names))[predicted]
    evaluation = evaluate_probabilities(answers, np.array(labels), tuple(names), seed=0, usual=0)
    return missed_classes(evaluation.classes)


@pytest.mark.parametrize(
    ("labels", "predicted", "names", "clause"),
    [
        ([0, 0, 1], [0, 1, 1], "ab", ""),
        (
            [0, 0, 1],
            [0, 0, 0],
            "ab",
            'does not find the only held-out row of "b", which it never predicts',
        ),
        ([0, 0, 1, 1], [0, 1, 0, 0], "ab", 'finds 0 of the 2 held-out rows of "b"'),
        (
            [0, 0, 1, 2, 2],
            [0, 0, 0, 0, 1],
            "abc",
            'finds no held-out row of 2 classes: "c" (2 rows) and "b" (1 row)',
        ),
        (
            [1, 2, 3, 4, 4, 5],
            [0] * 6,
            "abcdef",
            'finds no held-out row of 5 classes: "e" (2 rows), "b" (1 row), "c" (1 row) and 2 '
            "others",
        ),
        ([0, 0], [0, 0], "ab", 'never predicts "b", which has no held-out row'),
        (
            [0, 1],
            [0, 0],
            "abcd",
            'does not find the only held-out row of "b", which it never predicts, and never '
            'predicts "c" and "d", which have no held-out rows',
        ),
        # A class without rows that is predicted is a mistake, and other figures show it.
        ([0, 0], [0, 1], "ab", ""),
    ],
)
def test_the_clause(labels: list[int], predicted: list[int], names: str, clause: str) -> None:
    assert said(labels, predicted, names) == clause


def test_the_warning_names_the_version() -> None:
    assert class_warning(3, 'finds 0 of the 2 held-out rows of "b"') == (
        'Warning: version 3 finds 0 of the 2 held-out rows of "b".'
    )
    assert class_warning(3, "") == ""
