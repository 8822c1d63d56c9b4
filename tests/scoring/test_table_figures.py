"""What is said of the figures of a labelled table."""

from __future__ import annotations

import pytest

from ffn.evaluation.inference.statistics import NO_FIGURE, Interval
from ffn.scoring.judged.table_figures import TableEvaluation

HALF = Interval(0.5, 0.25, 0.75)


@pytest.mark.parametrize(
    ("loss", "auc", "said"),
    [
        (HALF, HALF, "log-loss 0.500 (0.250 to 0.750), ROC-AUC 0.500 (0.250 to 0.750)"),
        (
            Interval(0.02, 0.0, float("inf")),
            NO_FIGURE,
            "log-loss 0.020 (no interval), ROC-AUC \N{EN DASH} (all labels are of one class)",
        ),
    ],
)
def test_figures_without_an_interval_or_a_value(loss: Interval, auc: Interval, said: str) -> None:
    figures = TableEvaluation(
        pipeline="flow", version=3, rows=1, evaluated=1, left_out={}, accuracy=HALF,
        balanced_accuracy=HALF, macro_f1=HALF, log_loss=loss, brier=HALF, auc=auc, classes=(),
        confusions=(), notices=(),
    )  # fmt: skip
    assert figures.said == (
        f"accuracy 0.500 (0.250 to 0.750), {said}, balanced accuracy 0.500 (0.250 to 0.750)"
    )
