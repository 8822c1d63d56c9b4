"""The simulated backtests: concepts that turn as said, and whether the page has the figures."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ffn.evaluation.inference.statistics import Interval
from simulations.backtests import (
    BACKTESTED,
    FULL_BACKTESTS,
    BacktestedSize,
    backtested_table,
    backtests_section,
)
from tests.backtesting.made_backtest import made


@pytest.mark.parametrize("turn", BACKTESTED.values())
def test_the_concept_turns_by_so_many_degrees(turn: float) -> None:
    """The direction of a logistic regression of each month, by scikit-learn."""
    rows = [row.split(",") for row in backtested_table(turn, 800, np.random.default_rng(0))]
    table = pd.DataFrame(rows, columns=["day", "a", "b", "y"])
    angles = []
    for _, month in table.groupby(table["day"].str[:7]):
        fitted = LogisticRegression(C=1e6).fit(month[["a", "b"]].astype(float), month["y"] == "y")
        angles.append(np.arctan2(*fitted.coef_[0][::-1]))
    turned = np.rad2deg(np.diff(np.unwrap(angles)))
    assert len(turned) == 11
    assert turned.mean() == pytest.approx(turn, abs=2)


def test_the_page_has_what_was_simulated(repository: Path) -> None:
    page = (repository / "docs/backtest.md").read_text("utf-8")
    written = page.split("<!-- written by `make simulate` -->")[1].split("<!-- end")[0]
    assert f"{FULL_BACKTESTS.tables:,} tables of each kind" in written
    for name in BACKTESTED:
        assert len(re.findall(rf"^\| {name} \| \d", written, re.MULTILINE)) == 1


def test_the_page_has_an_example_and_its_picture(repository: Path) -> None:
    page = (repository / "docs/backtest.md").read_text("utf-8")
    shown = page.split("<!-- example: written by `make simulate` -->")[1].split("<!-- example")[0]
    assert f"A table of {12 * FULL_BACKTESTS.rows:,} rows in a year" in shown
    assert "is recommended" in shown
    assert "Of 8 periods, the realised accuracy was within the promised interval" in shown
    assert (repository / "docs/images/backtest.png").read_bytes()[:4] == b"\x89PNG"


def test_the_section_is_made_of_figures() -> None:
    """By hand: of two backtests one is shown better; -0.4 and 0 nats; 4 and 4 of 4 months."""
    one = made()
    pair = one.comparisons[0]
    better = replace(pair, log_loss=Interval(-0.4, -0.5, -0.3))
    equal = replace(pair, log_loss=Interval(0.0, -0.1, 0.1))
    both = [replace(one, comparisons=(each,)) for each in (better, equal)]
    text = backtests_section(BacktestedSize(2, 30), {"turns": both})
    assert text.endswith(
        "\n| turns | 0.500 [0.095, 0.905] | 0.000 [0.000, 0.658] | 1.0 | -0.200 | 1.00 |"
    )
