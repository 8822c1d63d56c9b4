"""The figures that pages take from a file are those that the experiments find: a part of each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples.course.measured import EXPERIMENTS, measured
from examples.course.measurements import mistakes, rates
from examples.course.measurements.speed import costs_without, measure_speed
from ffn.nn import OPTIMIZERS

ROOT = Path(__file__).parents[2]


def test_the_first_divisions_of_the_race_are_found_again() -> None:
    kept, again = measured("rates"), rates.measure_rates(4)
    assert kept["rates"] == list(again["rates"])
    for name in OPTIMIZERS:
        # Far above the best rate a last bit decides which way a network flies.
        usual = [i for i, rate in enumerate(kept["rates"]) if rate <= kept[name]["best"][0]]
        theirs, ours = (np.array(found[name]["first"], float)[:, usual] for found in (kept, again))
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)
        assert len(kept[name]["one_rate"]) == len(kept[name]["own_rate"]) == 150
        best = kept["rates"].index(kept[name]["best"][0])
        assert kept[name]["loss"][best] == pytest.approx(kept[name]["own_rate"][-1], rel=1e-3)


def test_the_lab_has_the_rates_that_were_found_best() -> None:
    page = (ROOT / "docs/learn/lab.html").read_text("utf-8")
    own = re.findall(r"const OWN = \{ (.*?) \};", page)[0]
    assert dict(re.findall(r"(\w+): ([\d.]+)", own)) == {
        name: f"{measured('rates')[name]['best'][0]:g}" for name in OPTIMIZERS
    }


def test_the_first_networks_chosen_on_test_rows_are_found_again() -> None:
    kept, again = measured("mistakes"), mistakes.measure_mistakes(count=4, trials=6)
    for theirs, ours in zip(
        kept["choosing_on_test_rows"]["first"], again["choosing_on_test_rows"]["first"], strict=True
    ):
        # A flower on the border may change sides with the last bit.
        np.testing.assert_allclose(ours, theirs, atol=1 / 30 + 1e-9)
    for mistake in ("columns_before_split", "copies_before_split"):
        wrong, right = again[mistake]["wrong"][0], again[mistake]["right"][0]
        assert wrong > right + 20
        assert right == pytest.approx(100 / 3, abs=15)
        assert kept[mistake]["right"][0] == pytest.approx(100 / 3, abs=3)
    assert again["forgotten_scaler"]["wrong"][0] < 60 < again["forgotten_scaler"]["right"][0]


def test_what_was_measured_fits_together() -> None:
    kept = measured("mistakes")
    choosing = kept["choosing_on_test_rows"]
    assert choosing["too_many"][0] == pytest.approx(
        choosing["reported"][0] - choosing["true"][0], abs=2e-3
    )
    for histogram, mean in zip(choosing["histogram"], ("reported", "true"), strict=True):
        assert sum(histogram) == kept["count"]
        average = np.dot(histogram, np.arange(31)) / 30 / kept["count"]
        assert 100 * average == pytest.approx(choosing[mean][0], abs=1e-3)
    sole = sum(kept["one_seed"]["sole_winner"].values())
    assert sole + kept["one_seed"]["no_sole_winner"] == pytest.approx(1)


def test_speed_is_measured_for_every_stack_and_the_networks_page_has_costs() -> None:
    assert set(measure_speed(1)["times_faster"]) == set(measured("speed")["times_faster"])
    columns, costs = costs_without()
    assert len(columns) == 4
    assert costs
    assert all(cell.endswith(" %") for cells in costs.values() for cell in cells)


def test_an_experiment_that_does_not_exist_is_refused_in_a_line() -> None:
    command = [sys.executable, "-m", "examples.course", "measure", "speeed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    line = f"no experiment is called speeed; there are {', '.join(EXPERIMENTS)}\n"
    assert done.stderr.endswith(line)


def test_the_file_has_the_experiments_and_no_others() -> None:
    found = json.loads((ROOT / "docs/learn/measured.json").read_text("utf-8"))
    assert set(found) == set(EXPERIMENTS)
