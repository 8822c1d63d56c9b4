"""Sentences about held-out figures, each as a function of the figures."""

from __future__ import annotations

import dataclasses

import numpy as np

from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.later_periods import LaterPeriods
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.reports.held_out import figure_table, later_sentence

EVALUATION = evaluate_probabilities(
    np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 1, 1]), ("a", "b"), 0, usual=0
)


def test_what_to_expect_of_later_rows_is_a_sentence_of_its_figures():
    later = LaterPeriods(
        periods=8,
        accuracy=Interval(0.776, 0.526, 0.915),
        log_loss=Interval(0.488, 0.313, 0.761),
    )
    told = later_sentence(dataclasses.replace(EVALUATION, later=later))
    assert told == (
        "For a later period expect accuracy 0.776 [0.526, 0.915] and log-loss 0.488 "
        "[0.313, 0.761]: mean and 95 % prediction intervals from 8 consecutive periods, each "
        "judged by models trained on earlier rows."
    )
    assert told in figure_table(dataclasses.replace(EVALUATION, later=later))


def test_without_a_split_by_time_nothing_is_said_of_later_rows():
    assert later_sentence(EVALUATION) == ""
    assert "later period" not in figure_table(EVALUATION)
