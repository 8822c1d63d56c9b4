"""Sentences, tables and picture of a hand-made backtest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffn.backtesting.backtest_picture import backtest_picture, draw_backtest
from ffn.backtesting.backtest_report import backtest_markdown
from ffn.backtesting.backtest_result import Backtest, backtest_lines, promises_kept
from ffn.backtesting.backtest_text import period_rows, schedule_rows
from ffn.backtesting.frequencies import read_frequencies
from ffn.backtesting.period_figures import Period, Realised
from ffn.backtesting.schedules_compared import (
    ScheduleFigures,
    compare_schedules,
    mean_of_periods,
    recommend,
)
from ffn.backtesting.steps_of_walk import PastDecision, PastPromise, WalkStep
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import NOTHING

LOSSES = {
    "1mo": np.array([0.30, 0.32, 0.28, 0.30]),
    "never": np.array([0.30, 0.62, 0.78, 0.90]),
}
HITS = {"1mo": np.array([0.9, 0.88, 0.92, 0.9]), "never": np.array([0.9, 0.7, 0.6, 0.5])}


def around(value: float, half: float = 0.05) -> Interval:
    return Interval(value, value - half, value + half)


def made() -> Backtest:
    """Four judged months and one that is empty; three models, one kept back, one refused."""
    promises = [
        PastPromise(rows=40, accuracy=around(0.9), log_loss=around(0.3)),
        PastPromise(
            rows=50,
            accuracy=around(0.8),
            log_loss=around(0.3),
            later_accuracy=around(0.85, 0.1),
            later_log_loss=around(0.5, 0.1),
        ),
    ]
    texts = [f"2024-0{month}-01" for month in range(3, 8)]
    periods = [
        Period(
            since=float(n),
            text=text,
            rows=100,
            left_out={"rejected by a model": 2} if n == 1 else {},
            why_not="",
            model_of=texts[0],
            promise=promises[n > 1],
            realised={
                name: Realised(
                    accuracy=around(HITS[name][n], 0.04), log_loss=around(LOSSES[name][n], 0.04)
                )
                for name in LOSSES
            },
        )
        for n, text in enumerate(texts[:4])
    ]
    empty = replace(periods[0], text=texts[4], rows=0, why_not="it has no rows", realised={})
    kept, promoted = (
        {"1mo": PastDecision(promoted=yes, reason="accuracy | is <b>")} for yes in (False, True)
    )
    steps = [
        WalkStep(number=0, at=0, rows=40, decisions=promoted),
        WalkStep(number=1, at=1, rows=80, decisions=kept),
        WalkStep(number=2, at=2, rows=120, decisions=promoted),
        WalkStep(number=3, at=3, rows=160, problem="a class has one row"),
    ]
    comparisons = compare_schedules(["1mo", "never"], LOSSES, HITS)
    return Backtest(
        pipeline="flights",
        time="flight_date",
        rows=500,
        unlabelled=3,
        window=None,
        origin=texts[0],
        schedules=tuple(
            ScheduleFigures(
                name=name,
                retrainings=number,
                promotions=number // 2,
                accuracy=mean_of_periods(HITS[name]),
                log_loss=mean_of_periods(LOSSES[name]),
            )
            for name, number in (("1mo", 3), ("never", 0))
        ),
        comparisons=tuple(comparisons),
        gate={"accuracy": around(0, 0.01), "log_loss": around(-0.02, 0.01)},
        recommendation=recommend(read_frequencies("1mo", "date"), comparisons, 4),
        kept=promises_kept(tuple(periods), "1mo"),
        steps=tuple(zip(texts, steps, strict=False)),
        periods=(*periods, empty),
    )


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
