"""A hand-made backtest: four judged months and an empty one, of round figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ffn.backtesting.backtest_result import Backtest, promises_kept
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
