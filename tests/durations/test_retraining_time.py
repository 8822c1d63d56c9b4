"""The estimate of a retraining: its arithmetic, its words, and that it times what is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.durations.retraining_time import (
    Estimate,
    Size,
    _seconds_of_trees,
    duration_text,
    estimate_retraining,
)
from ffn.durations.timed_training import Training, seconds_an_epoch
from ffn.nn import Adam
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline

SIZE = Size(rows=500, columns=4, training_rows=400, inputs=8, classes=3)


def pipeline(tmp_path: Path, **training: object) -> Pipeline:
    optimizers = training.pop("optimizers", {"adam": {"learning_rate": 0.01}})
    document = {
        "data": {"source": "t.csv", "target": "y"},
        "network": {"hidden_layers": [8]},
        "training": {"networks": 4, "epochs": 40, "batch_size": 50, **training},
        "optimizers": optimizers,
    }
    settings = check_settings(document, "pipeline.toml")
    return Pipeline(name="t", settings=settings, folder=tmp_path, artifacts=tmp_path)


def training(**changed: int) -> Training:
    values = {"rows": 1_000, "validation_rows": 250, "networks": 4, "batch_size": 50} | changed
    return Training(
        widths=(8, 8, 3),
        optimizer=Adam(learning_rate=0.01),
        dropout=0.1,
        figure_rows=1_000,
        dtype="float32",
        **values,
    )


class Clock:
    """A clock of which every second reading is later by the same time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self.readings = seconds, 0

    def __call__(self) -> float:
        self.readings += 1
        return self._seconds * (self.readings // 2)


def test_what_was_timed_is_taken_for_the_share_of_an_epoch_that_it_is() -> None:
    # Two batches of 50, a tenth of the rows, in a second: ten seconds an epoch.
    assert seconds_an_epoch(training(), Clock(1.0)) == pytest.approx(10.0)
    # Fewer rows than two batches are an epoch.
    assert seconds_an_epoch(training(rows=30, validation_rows=5), Clock(1.0)) == pytest.approx(1.0)


def test_what_takes_too_short_to_be_measured_is_made_longer() -> None:
    clock = Clock(0.04)
    readings: list[int] = []

    def faster() -> float:
        # 100, 400 and 1,000 rows, then 2, 4 and 8 epochs: the last takes long enough.
        readings.append(1)
        return clock() if len(readings) < 11 else clock() + (len(readings) == 12)

    found = seconds_an_epoch(training(), faster)
    assert len(readings) == 12
    assert found == pytest.approx(1.04 / 8)


@given(
    rows=st.integers(1, 400),
    validation=st.integers(0, 100),
    networks=st.integers(1, 3),
    batch=st.integers(1, 500),
)
def test_any_training_can_be_timed(rows: int, validation: int, networks: int, batch: int) -> None:
    of = training(rows=rows, validation_rows=validation, networks=networks, batch_size=batch)
    assert seconds_an_epoch(of, Clock(1.0)) >= 1.0


def test_more_of_the_same_takes_longer(tmp_path: Path) -> None:
    one = estimate_retraining(SIZE, pipeline(tmp_path, patience=10))
    assert (one.networks, one.epochs, one.rows) == (4, 40, 320)
    assert 0 < one.low < one.high
    # So many more epochs, without early stopping, that it is longer whatever else the machine does.
    long = estimate_retraining(SIZE, pipeline(tmp_path, epochs=1_000_000))
    assert long.low > 20 * one.high
    rates = {"adam": {"learning_rate": [0.1, 0.01]}, "sgd": {"learning_rate": 0.1}}
    assert estimate_retraining(SIZE, pipeline(tmp_path, optimizers=rates)).networks == 12


def test_boosted_teachers_take_time_in_proportion_to_their_number(tmp_path: Path) -> None:
    """40 to 200 iterations of a tree for each of three classes, 1.5 ms and 11 ns a value each."""
    one, many = (
        _seconds_of_trees(
            SIZE, pipeline(tmp_path, ensemble="distilled", boosted_teachers=teachers), 40
        )
        for teachers in (1, 4)
    )
    assert one == pytest.approx(40 * 3 * (1.5e-3 + 11e-9 * 320 * 4))
    assert many == pytest.approx(4 * one)
    assert _seconds_of_trees(SIZE, pipeline(tmp_path), 40) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.01, "1 s"),
        (1.4, "1 s"),
        (12.4, "12 s"),
        (59.4, "59 s"),
        (59.9, "1 min"),
        (95, "1.6 min"),
        (600, "10 min"),
        (3_590, "1 h"),
        (5_400, "1.5 h"),
        (86_400, "24 h"),
    ],
)
def test_a_time_has_as_many_digits_as_are_known(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.floats(0, 1e7))
def test_a_time_is_told_within_an_eighth_of_itself(seconds: float) -> None:
    value, unit = duration_text(seconds).split()
    told = float(value) * {"s": 1, "min": 60, "h": 3_600}[unit]
    assert told == pytest.approx(max(1, seconds), rel=1 / 3 if seconds < 10 else 1 / 8)


def test_the_estimate_is_a_sentence_of_its_figures() -> None:
    found = Estimate(low=14.2, high=92.0, networks=8, epochs=150, rows=2_560)
    assert found.sentence == (
        "A retraining will take about 14 s to 1.5 min on this machine as it is now: 8 networks, "
        "each on 2,560 rows for at most 150 epochs."
    )
    same = Estimate(low=10.0, high=10.2, networks=1, epochs=1, rows=1)
    assert "about 10 s on this machine" in same.sentence
    assert same.sentence.endswith("1 network, each on 1 row for at most 1 epoch.")
    assert found.to_json() == {"low": 14.2, "high": 92.0, "sentence": found.sentence}
