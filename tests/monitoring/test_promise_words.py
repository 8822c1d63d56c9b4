"""Realised beside promised figures in words, which are a function of the figures."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promise_words import beside_promises, is_below_all, promised_losses
from ffn.monitoring.promised_quality import Promise, PromisedQuality
from ffn.monitoring.shortfall import find_shortfall

HELD_OUT = Interval(0.784, 0.771, 0.797)
DEPARTURE = Promise(
    kind="time",
    column="departure",
    accuracy=Interval(0.751, 0.7, 0.802),
    log_loss=Interval(0.52, 0.45, 0.59),
)
CUSTOMERS = Promise(
    kind="group",
    column="customer_id",
    accuracy=Interval(0.501, 0.405, 0.597),
    log_loss=Interval(1.601, 1.16, 2.05),
)
PLAIN = PromisedQuality(
    accuracy=HELD_OUT,
    log_loss=Interval(0.486, 0.46, 0.51),
    correct=3136,
    rows=4000,
    made_at=datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC).timestamp(),
)
BY_TIME = replace(PLAIN, unseen=(DEPARTURE,))
BY_GROUP = replace(PLAIN, unseen=(CUSTOMERS,))
# Under split.time the promise is that for a later period.
PERIOD = replace(PLAIN, accuracy=DEPARTURE.accuracy, held_out=HELD_OUT)


@pytest.mark.parametrize(
    ("promised", "realised", "told", "below"),
    [
        (PLAIN, (0.743, 0.72, 0.765), ", below the promised 0.784 [0.771, 0.797]", True),
        (
            BY_TIME,
            (0.743, 0.72, 0.765),
            ", not shown to differ from the 0.751 [0.700, 0.802] promised for rows later by "
            '"departure" (held out 0.784 [0.771, 0.797])',
            False,
        ),
        (
            BY_TIME,
            (0.65, 0.61, 0.69),
            ', below the 0.751 [0.700, 0.802] promised for rows later by "departure" (held out '
            "0.784 [0.771, 0.797])",
            True,
        ),
        (
            PERIOD,
            (0.85, 0.81, 0.89),
            ", above the 0.751 [0.700, 0.802] promised for later rows (held out 0.784 [0.771, "
            "0.797])",
            False,
        ),
        (
            BY_GROUP,
            (0.52, 0.47, 0.57),
            ", below the promised 0.784 [0.771, 0.797]; if they are of new values of "
            '"customer_id", not shown to differ from the 0.501 [0.405, 0.597] promised for those',
            False,
        ),
        (
            replace(PLAIN, unseen=(DEPARTURE, CUSTOMERS)),
            (0.3, 0.25, 0.35),
            ', below the 0.751 [0.700, 0.802] promised for rows later by "departure" (held out '
            '0.784 [0.771, 0.797]); if they are of new values of "customer_id", below the 0.501 '
            "[0.405, 0.597] promised for those",
            True,
        ),
        (replace(PLAIN, accuracy=None), (0.3, 0.25, 0.35), "", False),
        (replace(PLAIN, weighted=True), (0.3, 0.25, 0.35), None, False),
    ],
)
def test_the_promise_that_applies_is_named(
    promised: PromisedQuality, realised: tuple[float, float, float], told: str | None, below: bool
) -> None:
    found = Interval(*realised)
    if told is not None:
        assert beside_promises(found, promised, shown=False) == told
    assert is_below_all(found, promised) is below


def test_what_is_shown_in_some_period_is_said_of_all_rows_only_if_they_are_below() -> None:
    low, high = Interval(0.65, 0.61, 0.69), Interval(0.79, 0.77, 0.81)
    assert beside_promises(low, PLAIN, shown=True).startswith(", shown to be below the promised")
    assert beside_promises(high, PLAIN, shown=True).startswith(", not shown to differ from the")


def test_log_losses_are_named_by_whose_they_are() -> None:
    assert promised_losses(PLAIN) == ", promised 0.486 [0.460, 0.510]"
    assert promised_losses(BY_GROUP) == (
        ', promised 0.486 [0.460, 0.510] and 1.601 [1.160, 2.050] for new values of "customer_id"'
    )
    assert promised_losses(BY_TIME) == (
        ', promised 0.520 [0.450, 0.590] for rows later by "departure"'
    )
    assert promised_losses(replace(PLAIN, log_loss=None)) == ""


def test_an_alert_waits_for_the_lowest_promise_that_may_apply() -> None:
    """2,000 rows of which 73 % are right: fewer than held out, as many as later rows have."""
    correct, weeks = np.arange(2_000) % 100 < 73, ["2026-W45"] * 2_000
    plain = find_shortfall(correct, weeks, PLAIN, 0.05)
    assert plain is not None
    assert plain.shown
    assert plain.sentence.startswith(
        "accuracy is shown to be below the promised bound 0.771: 0.730"
    )
    later = find_shortfall(correct, weeks, BY_TIME, 0.05)
    assert later is not None
    assert (later.shown, later.bound, later.sentence) == (False, 0.7, "")
    fallen = find_shortfall(np.arange(2_000) % 100 < 62, weeks, BY_TIME, 0.05)
    assert fallen is not None
    bound = 'below the promised bound 0.700 for rows later by "departure": 0.620 ['
    assert fallen.sentence.startswith(f"accuracy is shown to be {bound}")
