"""The table that compares the estimator on columns with a pipeline."""

from __future__ import annotations

from benchmarks.accuracy.estimator_columns import columns_table


def test_the_table_has_means_and_paired_differences() -> None:
    """By hand: differences of -0.1 and -0.3 have the mean -0.2 and the standard error 0.1."""
    found = {
        "a": {
            "pipeline": [0.5, 0.7],
            "estimator": [0.4, 0.4],
            "another seed": [0.5, 0.5],
        }
    }
    assert columns_table(found).splitlines() == [
        "| table | pipeline | estimator | difference | of two seeds |",
        "|---|--:|--:|--:|--:|",
        "| a | 0.6000 | 0.4000 | -0.2000 ± 0.1000 | +0.1000 ± 0.0000 |",
    ]
