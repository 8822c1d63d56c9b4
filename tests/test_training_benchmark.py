"""The training benchmark: one work for all, times only of those who learn the same, its tables."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.rounds import Measured
from benchmarks.training.agreement import DisagreementError, check_agreement
from benchmarks.training.commands import Commands, time_retraining
from benchmarks.training.contestant import Ours, Outcome, Products
from benchmarks.training.parts import PARTS, parts_of
from benchmarks.training.picture import draw
from benchmarks.training.programs import time_programs
from benchmarks.training.scikit_learn import Estimator, Evaluated
from benchmarks.training.shapes import SHAPES
from benchmarks.training.tables import commands_table, full_table, seconds_text, targets_table
from benchmarks.training.targets import TARGETS
from benchmarks.training.work import Work, create_work
from tests.helpers.page_tables import tables


@pytest.fixture(scope="module")
def iris() -> Work:
    return create_work(replace(SHAPES["iris"], epochs=3))


def test_the_rows_are_standardised_by_those_to_train_on(iris: Work) -> None:
    x, labels = iris.train_part
    assert (len(x), len(iris.validation_part[0])) == (120, 30)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)
    assert np.bincount(np.append(labels, iris.validation_part[1])).tolist() == [50, 50, 50]


def test_steps_count_the_last_smaller_batch_and_all_networks(iris: Work) -> None:
    assert iris.batch_sizes == [32, 32, 32, 24]
    assert iris.network_steps == 12
    assert create_work(replace(SHAPES["iris-64"], epochs=3)).network_steps == 64 * 12


def test_scikit_learn_follows_us_from_the_same_weights_in_the_same_order(iris: Work) -> None:
    ours, theirs = Ours(iris).run(), Evaluated(iris).run()
    check_agreement("it", ours, theirs, loss=1e-4, accuracy=0)
    otherwise = replace(iris, orders=iris.orders[:, ::-1])
    with pytest.raises(DisagreementError, match="it: train loss differs from ours"):
        check_agreement("it", ours, Evaluated(otherwise).run(), loss=1e-4, accuracy=0)


def test_an_estimator_is_compared_after_its_last_epoch(iris: Work) -> None:
    outcome = Estimator(iris).run()
    assert outcome.train_loss.shape == (1, 1)
    check_agreement("it", Ours(iris).run(), outcome, loss=0.2, accuracy=0.1)


def outcome(**changes: Any) -> Outcome:
    """Two epochs of three networks."""
    figures = dict.fromkeys(
        ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
        np.full((2, 3), 0.5),
    )
    return Outcome(**(figures | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"train_loss": np.full((2, 3), 0.504)},
        # One network of three took another path.
        {"validation_loss": np.array([[0.5, 0.5, 0.5], [0.5, 0.9, 0.5]])},
        {"validation_accuracy": np.full((2, 3), 0.48)},
    ],
)
def test_trainings_that_learnt_the_same_count(changes: dict[str, Any]) -> None:
    check_agreement("it", outcome(), outcome(**changes), loss=0.01, accuracy=0.03)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("train_loss", 0.506),
        ("train_loss", np.nan),
        ("validation_loss", 0.49),
        ("train_accuracy", 0.46),
        ("validation_accuracy", 0.54),
    ],
)
def test_times_of_trainings_that_learnt_otherwise_do_not(part: str, value: float) -> None:
    figures = np.full((2, 3), 0.5)
    figures[0] = value
    with pytest.raises(DisagreementError, match=f"it: {part.replace('_', ' ')} differs from ours"):
        check_agreement("it", outcome(), outcome(**{part: figures}), loss=0.01, accuracy=0.03)


def test_the_limit_does_all_products_of_training_and_evaluation(iris: Work) -> None:
    done: list[int] = []

    class Counting(np.ndarray):
        def dot(self, other: Any, out: Any = None) -> Any:
            done.append(2 * self.shape[0] * self.shape[1] * other.shape[1])
            return np.matmul(self.view(np.ndarray), other.view(np.ndarray), out=out)

    limit = Products(iris)
    for arrays in (limit.weights, limit.transposed, *limit.activations.values()):
        arrays[:] = [array.view(Counting) for array in arrays]
    for arrays in limit.deltas.values():
        arrays[:] = [array.view(Counting) for array in arrays]
    limit.run()
    # Forward and both products of backward for 120 rows, but none for the inputs' gradient;
    # forward again for 120 and 30.
    layers = 4 * 16 + 16 * 4 + 4 * 3
    an_epoch = 2 * (120 * (3 * layers - 4 * 16) + 150 * layers)
    assert sum(done) == 3 * an_epoch


def test_a_cold_program_whose_optimizers_do_not_learn_is_refused(
    iris: Work, repository: Path
) -> None:
    with pytest.raises(DisagreementError, match="cold process, ours: validation accuracies"):
        time_programs(repository, iris, rounds=1, epochs=1, least_accuracy=1.1)


def test_the_parts_of_our_time_are_put_back_where_they_were(iris: Work) -> None:
    before = Ours(iris).run()
    parts = parts_of(iris, rounds=1, least_seconds=0)
    assert tuple(parts) == PARTS
    assert min(parts.values()) >= 0 < sum(parts.values())
    np.testing.assert_array_equal(Ours(iris).run().train_loss, before.train_loss)


def measured() -> dict[str, Measured]:
    seconds = {
        "ours": np.array([0.001, 0.002, 0.001]),
        "matrix products alone": np.array([0.0005, 0.0005, 0.0005]),
        "PyTorch eager, fused Adam": np.array([0.004, 0.006, 0.0041]),
    }
    return {"digits": Measured(work="digits", seconds=seconds)}


COMMANDS = Commands(
    direct=np.array([1.0, 1.5, 2.0]),
    server=np.array([4.0, 3.0, 4.5]),
    own_server=np.array([9.0]),
)


def test_the_table_of_targets_judges_medians() -> None:
    (table,) = tables(targets_table(measured(), COMMANDS))
    assert table[1:] == [
        ["digits", "PyTorch eager, fused Adam", "≥ 4", "**4.0** [3.0, 4.1]", "3", "yes"],
        ["digits", "matrix products alone", "≥ 0.5", "**0.50** [0.25, 0.50]", "3", "yes"],
        [
            *("retraining Iris, server running", "`--direct`", "≤ 2 s"),
            *("**2.5 s** [1.5, 3.0] more", "3", "**no**"),
        ],
    ]


def test_the_full_table_has_every_side(iris: Work) -> None:
    works = {"digits": iris}
    (table,) = tables(full_table(measured(), works))
    assert [row[1:4] for row in table[1:]] == [
        ["ours", "1.00 ms", "83.3 µs"],
        ["matrix products alone", "500 µs", "41.7 µs"],
        ["PyTorch eager, fused Adam", "4.10 ms", "342 µs"],
    ]


def test_the_table_of_commands_has_the_whole_range() -> None:
    (table,) = tables(commands_table(COMMANDS))
    assert table[1] == ["`ffn retrain iris --direct`", "**1.5** [1.0, 2.0]", "3"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2e-7, "0.20 µs"),
        (9.96e-6, "10.0 µs"),
        (1.5e-4, "150 µs"),
        (0.0123, "12.3 ms"),
        (75, "75.0 s"),
    ],
)
def test_seconds_have_three_digits_and_a_unit(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_the_picture_has_a_dot_for_each_side_on_a_logarithmic_scale(iris: Work) -> None:
    (axes,) = draw(measured(), {"digits": iris}).axes
    assert axes.get_xscale() == "log"
    dots = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(
        sorted(float(dot.get_xdata()[0]) for dot in dots),
        np.array([0.0005, 0.001, 0.0041]) / iris.network_steps,
    )


def test_the_page_holds_every_target_and_judges_it_by_its_figures(repository: Path) -> None:
    page = (repository / "benchmarks" / "README.md").read_text("utf-8")
    targets = tables(page)[0]
    names = {key: shape.name for key, shape in SHAPES.items()}
    names["cold"] = "Iris, four optimizers, cold process"
    assert [row[:3] for row in targets[1:-1]] == [
        [names[target.work], target.against, f"≥ {target.reach:g}"] for target in TARGETS
    ]
    for row, target in zip(targets[1:-1], TARGETS, strict=True):
        median = float(re.findall(r"\*\*([\d.]+)\*\*", row[3])[0])
        if abs(median - target.reach) > 0.06:
            assert row[5] == ("yes" if median > target.reach else "**no**"), row


def test_a_timed_retraining_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    class Server:
        def poll(self) -> None: ...
        def terminate(self) -> None: ...
        def wait(self, **_: object) -> None: ...

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("subprocess.run", lambda *_a, **_k: None)
    monkeypatch.setattr("subprocess.Popen", lambda *_a, **_k: Server())
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: contextlib.nullcontext())
    timed = time_retraining(repository, pairs=2, own_server=1)
    assert [len(seconds) for _, seconds in timed.named()] == [2, 2, 1]
    assert list(tmp_path.iterdir()) == []
