"""The page in characters: what a reader finds where."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.quantities import NOTHING
from ffn.watching.class_map import ClassMap
from ffn.watching.observation import LayerFigures
from ffn.watching.snapshots import Curve
from ffn.watching.view import TrainingView, View, best_training
from ffn.watching.watch_page import curve_lines, map_lines, marks_of, page_lines, plain_text

NAN = float("nan")


def training(label: str, train: list[float], validation: list[float], **more: object):
    curve = Curve(np.arange(1, len(train) + 1), np.array(train), np.array(validation))
    defaults = {"rate": 0.1, "epoch": len(train), "epochs": len(train), "networks": 1}
    return TrainingView(label=label, curve=curve, **{**defaults, **more})


def test_each_training_has_a_letter_of_its_own() -> None:
    assert marks_of(["sgd", "momentum", "adam", "adamw"]) == {
        "sgd": "s",
        "momentum": "m",
        "adam": "a",
        "adamw": "d",
    }
    assert len(set(marks_of(["a", "a1", "aa", "a-a"]).values())) == 4


def test_a_curve_goes_down_by_as_many_lines_as_its_logarithm() -> None:
    # A factor of ten an epoch, on nine lines: the middle of three epochs is the middle line.
    one = training("sgd", [1.0, 0.1, 0.01], [NAN] * 3)
    lines = plain_text(curve_lines([one], {"sgd": "s"}, 3, 9)).splitlines()
    assert lines[0] == "      1 |s"
    assert lines[4] == "    0.1 | s"
    assert lines[8] == "   0.01 |  s"
    assert sum("s" in line for line in lines) == 3
    assert lines[-1].split() == ["1", "3"]


def test_validation_is_drawn_where_there_is_any_and_the_first_training_is_seen() -> None:
    one = training("sgd", [1.0, 1.0], [0.5, 0.05])
    other = training("adam", [0.5, 0.5], [NAN, NAN])
    lines = plain_text(curve_lines([one, other], {"sgd": "s", "adam": "a"}, 2, 5)).splitlines()
    assert lines[0] == "    0.5 |sa"
    assert lines[4] == "   0.05 | s"


@pytest.mark.parametrize("losses", [[NAN, NAN], []])
def test_no_loss_is_no_curve(losses: list[float]) -> None:
    one = training("sgd", losses, losses)
    assert plain_text(curve_lines([one], {"sgd": "s"}, 5, 5)) == "no loss yet\n"


def test_a_loss_of_zero_and_one_that_stays_are_drawn() -> None:
    for losses in ([0.0, 0.0], [0.3, 0.3]):
        one = training("sgd", losses, losses)
        text = plain_text(curve_lines([one], {"sgd": "s"}, 2, 5))
        assert "ss" in text


def test_the_map_has_answers_rows_doubt_and_what_is_not_finite() -> None:
    found = ClassMap(
        answers=np.array([[0, 1, 25], [-1, 2, 0]]),
        confidence=np.array([[0.9, 0.59, 0.6], [0.0, 1.0, 1.0]]),
        rows=np.array([[-1, -1, -1], [-1, 1, 30]]),
    )
    assert plain_text(map_lines(found)) == "a.z\n?BZ\n"


def view(**more: object) -> View:
    layers = (LayerFigures(gradient=0.0412, units=16, dead=2), LayerFigures(gradient=1.5e-7))
    one = training("sgd", [0.5, 0.25], [0.6, 0.3], layers=layers)
    other = training("adam", [0.5, NAN], [0.4, NAN], rate=NAN, epoch=1)
    return View(title="iris: retraining", trainings=[one, other], notes=["a note"], **more)


def test_the_table_has_the_figures() -> None:
    lines = plain_text(page_lines(view())).splitlines()
    assert lines[0] == "iris: retraining"
    assert lines[2].split("  ")[1] == "training"
    cells = [line.split() for line in lines[3:5]]
    assert " ".join(cells[0]) == "s sgd 0.1 2/2 0.2500 0.3000 0.041 1.5e-07 2/16"
    assert " ".join(cells[1]) == f"a adam {NOTHING} 1/2 0.5000 0.4000 {NOTHING} {NOTHING}"
    assert lines[-1] == "a note."


def test_a_deep_network_has_its_first_and_last_layers_in_the_table() -> None:
    layers = [LayerFigures(gradient=10.0**-i, units=8, dead=i) for i in range(6)]
    one = training("sgd", [0.5], [0.5], layers=layers)
    text = plain_text(page_lines(View(title="deep", trainings=[one])))
    assert " ".join(text.split()).count("1 … 1e-05 0/8 … 4/8") == 1


def test_a_table_that_is_too_wide_has_less_space_and_then_fewer_layers() -> None:
    layers = [LayerFigures(gradient=0.00123, units=256, dead=17) for _ in range(4)]

    def row(epochs: int) -> str:
        one = training("momentum", [1e-7], [1e-7], rate=1e-5, epochs=epochs, layers=layers)
        lines = plain_text(page_lines(View(title="wide", trainings=[one]))).splitlines()
        assert max(map(len, lines[:4])) <= 80
        return lines[3]

    assert "0.0012 … 0.0012    17/256 17/256 17/256" in row(9)
    assert "0.0012 … 0.0012   17/256 17/256 17/256" in row(10**5)
    assert "0.0012…0.0012     17/256…17/256" in row(10**9)
    row(10**40)


def test_a_page_fits_into_80_columns_whatever_the_names() -> None:
    classes = [f"{'class' * 9}\n{i}" for i in range(40)]
    found = ClassMap(
        answers=np.zeros((14, 34), int), confidence=np.ones((14, 34)), rows=np.full((14, 34), -1)
    )
    page = page_lines(view(classes=classes, shown="sgd", map=found))
    text = plain_text(page)
    assert max(map(len, text.splitlines())) <= 80
    assert "\\n" not in text.splitlines()[0]
    assert "and 32 more" in " ".join(text.split())
    assert len(page) < 40
    assert all("\n" not in piece for line in page for piece, _ in line)


def test_small_losses_keep_their_digits_and_epochs_to_come_are_not_drawn() -> None:
    one = training("sgd", [0.5, 3.14e-5], [0.25, 0.00123], epochs=6_000)
    lines = plain_text(page_lines(View(title="early", trainings=[one]))).splitlines()
    assert " 2/6,000  3.1e-05  0.0012 " in lines[3]
    assert lines[-1].split() == ["1", "2"]


def test_the_best_is_the_one_with_the_lowest_validation_loss() -> None:
    first = training("a", [0.1], [0.9])
    second = training("b", [0.5], [0.4])
    lost = training("c", [NAN], [NAN])
    assert best_training([lost, first, second]) is second
    assert best_training([lost]) is lost
    assert best_training([]) is None


def test_json_has_no_number_that_json_does_not_know() -> None:
    found = view().to_json()
    one, other = found["trainings"]
    assert (one["train_loss"], one["validation_loss"]) == (0.25, 0.3)
    assert one["layers"][0] == {"gradient": 0.0412, "units": 16, "dead": 2}
    assert other["learning_rate"] is None
    assert other["curve"]["train_loss"] == [0.5, None]
