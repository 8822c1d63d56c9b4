"""The table of what the parts of a date are worth, and what competes with ours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.accuracy.ablation import Measured
from benchmarks.accuracy.dated_columns import VARIANTS, dated_table
from ffn.tabular.encodings.date_parts import DatePart, part_of_dates


def test_the_table_has_means_and_paired_differences() -> None:
    """By hand: differences of -0.1 and -0.3 have the mean -0.2 and the standard error 0.1."""
    found = {
        "none": {"a": [Measured(0.5, 1, 0.6), Measured(0.7, 1, 0.7)]},
        "all": {"a": [Measured(0.4, 1, 0.8), Measured(0.4, 1, 0.9)]},
    }
    assert dated_table(found).splitlines() == [
        "| inputs | a: log-loss | to the first | AUC |",
        "|---|--:|--:|--:|",
        "| none | 0.6000 |  | 0.650 |",
        "| all | 0.4000 | -0.2000 ± 0.1000 | 0.850 |",
    ]


def test_what_pandas_makes_is_what_ffn_makes() -> None:
    at = pd.Series(pd.date_range("2023-11-05 07:00", periods=500, freq="29h"))
    seconds = ((at - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy()
    _, make = VARIANTS["cycles and time passed, without the year"]
    ours = (
        *(DatePart.ELAPSED, DatePart.YEAR_SINE, DatePart.YEAR_COSINE, DatePart.WEEK_SINE),
        *(DatePart.WEEK_COSINE, DatePart.DAY_SINE, DatePart.DAY_COSINE),
    )
    made = make(at)
    assert len(made) == len(ours)
    for part, column in zip(ours, made.values(), strict=True):
        found = part_of_dates(part, seconds, float(seconds[0]))
        np.testing.assert_allclose(found, column, atol=1e-12)
