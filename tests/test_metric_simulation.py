"""The simulation of the gate by a metric: its worlds, and whether the page says what it found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulations.metric_gates import (
    FULL_METRICS,
    METRICS,
    QUICK_METRICS,
    WORLDS,
    MetricWorld,
    metric_gates_section,
    wrongly_shown,
)
from simulations.page import with_section


@pytest.mark.parametrize("mode", ["better", "not_worse"])
def test_wrong_promotions_are_rare(mode) -> None:
    """Of 60 at the level 0.05, more than nine is a chance of one in a thousand."""
    size = replace(QUICK_METRICS, trials=60)
    world = MetricWorld(sizes=(950, 50), apart=1.5)
    for metric in ("average_precision", "balanced_accuracy"):
        assert wrongly_shown(world, metric, mode, size) <= 9


def test_groups_that_are_not_told_are_found_wrong() -> None:
    """The table shows the groups' test, and this that they matter."""
    size = replace(QUICK_METRICS, trials=40)
    world = MetricWorld(sizes=(450, 450), apart=2.0, noise=2.0, rows_of_group=30)
    told, untold = (
        wrongly_shown(world, "balanced_accuracy", "better", size, told=told)
        for told in (True, False)
    )
    assert untold > told


def test_the_page_holds_every_world(repository: Path) -> None:
    whole = (repository / "docs/decision_rules.md").read_text("utf-8")
    assert with_section(whole, "x", "metric") != whole
    cells = re.findall(r"\d\.\d+ \[\d\.\d+, \d\.\d+\]", whole.split("metric: written by")[1])
    assert len(cells) >= 2 * len(METRICS) * len(WORLDS)
    assert f"Of {FULL_METRICS.trials:,} challengers each" in whole
    assert all(f"| {name} | `better` |" in whole for name in WORLDS)


def test_the_section_has_a_line_for_each_world_and_mode() -> None:
    tiny = replace(QUICK_METRICS, trials=1)
    text = metric_gates_section(tiny)
    assert text.count("\n| ") == 2 * len(WORLDS) + 1
    assert np.isfinite([float(one) for one in re.findall(r"\d\.\d{3}", text)]).all()
