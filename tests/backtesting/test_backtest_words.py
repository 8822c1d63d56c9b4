"""Sentences, tables and picture of a hand-made backtest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffn.backtesting.backtest_picture import backtest_picture, draw_backtest
from ffn.backtesting.backtest_report import backtest_markdown
from ffn.backtesting.backtest_result import backtest_lines
from ffn.backtesting.backtest_text import period_rows, schedule_rows
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import NOTHING
from tests.backtesting.made_backtest import HITS, LOSSES, made


def test_promises_are_counted() -> None:
    """By hand: accuracy 0.9 and 0.88 in 0.9 ± 0.05; 0.92 and 0.9 not in 0.8 ± 0.05; losses all."""
    kept = made().kept
    assert (kept.periods, kept.accuracy, kept.log_loss) == (4, 2, 4)
    assert (kept.foretold, kept.later_accuracy, kept.later_log_loss) == (2, 2, 0)
    assert kept.sentence == (
        "Of 4 periods, the realised accuracy was within the promised interval for held-out rows in "
        "2, the log-loss in 4; within the prediction interval for a later period in 2 of 2 and 0 "
        "of 2."
    )
    assert "later period" not in replace(kept, foretold=0).sentence


def test_everything_that_was_left_out_is_said() -> None:
    lines = backtest_lines(made())
    for line in (
        "With every new model in production, whatever the gate says, the log-loss would have been "
        "different by -0.0200 [-0.0300, -0.0100].",
        "3 rows without a label took no part.",
        "Rows that were not judged: 2 rejected by a model.",
        "The period from 2024-07-01 on is left out: it has no rows.",
        "No model at 2024-06-01: a class has one row.",
    ):
        assert line in lines
    none = Interval(0.0, 0.0, 0.0)
    equal = backtest_lines(replace(made(), gate={"accuracy": none, "log_loss": none}))
    assert any("the newest model would have given the same" in line for line in equal)


def test_the_rows_of_both_tables() -> None:
    rows = period_rows(made(), "accuracy")
    assert [row["new model"] for row in rows] == [
        "promoted",
        "kept back",
        "promoted",
        "none",
        NOTHING,
    ]
    assert [row["within"] for row in rows] == [
        f"yes, {NOTHING}",
        f"yes, {NOTHING}",
        "no, yes",
        "no, yes",
        NOTHING,
    ]
    assert rows[1]["realised"] == "0.880 [0.840, 0.920]"
    assert rows[1]["never retrained"] == "0.700 [0.660, 0.740]"
    assert (rows[4]["rows"], rows[4]["realised"]) == (NOTHING, NOTHING)
    assert [(row["every"], row["retrained"], row["promoted"]) for row in schedule_rows(made())] == [
        ("1mo", "3", "1"),
        ("never", "0", "0"),
    ]


def test_texts_from_outside_are_shown_and_not_interpreted() -> None:
    text = backtest_markdown(made())
    assert "<b>" not in text
    assert "accuracy &#124; is &#60;b&#62;" in text


def test_the_picture_draws_the_figures() -> None:
    figure = draw_backtest(made())
    top, bottom = figure.axes
    for panel, figures in ((top, LOSSES), (bottom, HITS)):
        drawn = {line.get_label(): np.array(line.get_ydata()) for line in panel.get_lines()}
        for label, name in (("retrained every 1mo", "1mo"), ("never retrained", "never")):
            np.testing.assert_array_equal(drawn[label], [*figures[name], np.nan])
    marks = {line.get_label(): list(line.get_xdata()) for line in top.get_lines()}
    assert marks["new model promoted"] == [-0.5, 1.5]
    assert marks["new model kept back"] == [0.5]
    bands = [patch for patch in bottom.patches if patch.get_height() == pytest.approx(0.1)]
    assert [round(band.get_y(), 2) for band in bands] == [0.85, 0.85, 0.75, 0.75, 0.85]
    assert backtest_picture(made()) == backtest_picture(made())
