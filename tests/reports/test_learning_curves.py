from __future__ import annotations

import io
import itertools
import struct
import threading

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from ffn.reports.pictures.learning_curves import draw_learning_curves, learning_curves
from tests.helpers.report_inputs import (
    FIGURES,
    OPTIMIZERS,
    candidate,
    four_candidates,
    random_history,
    stop,
)

DIVERGED = "the loss is NaN in epoch 3"


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize("networks", [1, 2, 16])
@pytest.mark.parametrize("epochs", [2, 150, 300])
def test_lines_are_medians_and_bands_are_deciles(epochs: int, networks: int) -> None:
    candidates = four_candidates(epochs, networks)
    figure = draw_learning_curves(candidates)
    for panel, name in zip(figure.axes, FIGURES, strict=True):
        assert len(panel.lines) == len(panel.collections) == len(candidates)
        for line, band, drawn in zip(panel.lines, panel.collections, candidates, strict=True):
            values = getattr(drawn.history, name)
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, epochs + 1))
            np.testing.assert_allclose(line.get_ydata(), np.median(values, axis=1), rtol=1e-12)
            corners = {(x, y) for x, y in band.get_paths()[0].vertices.round(9).tolist()}
            for percent in (10, 90):
                edge = np.percentile(values, percent, axis=1).round(9)
                assert set(zip(range(1, epochs + 1), edge.tolist(), strict=True)) <= corners


def test_axes_say_what_they_show_and_share_their_scales() -> None:
    training_loss, validation_loss, training, validation = draw_learning_curves(
        four_candidates(20, 4)
    ).axes
    assert training_loss.get_yscale() == validation_loss.get_yscale() == "log"
    assert training.get_yscale() == validation.get_yscale() == "linear"
    assert training_loss.get_ylabel() == "log-loss (nats per row, log scale)"
    assert training.get_ylabel() == "accuracy (share of rows)"
    assert training.get_xlabel() == validation.get_xlabel() == "epoch"
    assert training_loss.get_title("left") == "Training rows"
    assert validation_loss.get_title("left") == "Validation rows"
    assert training_loss.get_ylim() == validation_loss.get_ylim()
    assert training.get_ylim() == validation.get_ylim()
    assert training.get_xlim() == validation_loss.get_xlim() == (1, 20)


def test_everything_drawn_lies_inside_the_axes() -> None:
    candidates = four_candidates(60, 8)
    for panel, name in zip(draw_learning_curves(candidates).axes, FIGURES, strict=True):
        low, high = panel.get_ylim()
        for drawn in candidates:
            values = np.percentile(getattr(drawn.history, name), (10, 90), axis=1)
            assert low <= values.min() <= values.max() <= high


# Machado, Oliveira, Fernandes 2009, severity 1.0; linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour: str, vision: str) -> np.ndarray:
    """Return CIE L*a*b* (D65) of a colour as seen."""
    srgb = np.array(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x, y, z = np.cbrt(np.array(to_xyz) @ seen / [0.95047, 1.0, 1.08883])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_optimizers_are_told_apart_however_colours_are_seen(vision: str) -> None:
    figure = draw_learning_curves(four_candidates(5, 2))
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert colours == [line.get_color() for line in figure.legends[0].get_lines()]
    for one, other in itertools.combinations(colours, 2):
        # A difference of 2.3 is just noticeable.
        assert np.linalg.norm(lab(one, vision) - lab(other, vision)) > 15


def test_the_legend_names_the_optimizers_and_the_chosen_one() -> None:
    candidates = four_candidates(5, 3)
    assert legend(draw_learning_curves(candidates, "adam")) == [
        "sgd",
        "momentum",
        "adam (chosen)",
        "adamw",
    ]
    assert legend(draw_learning_curves(candidates)) == list(OPTIMIZERS)
    assert "median of 3 networks" in words(draw_learning_curves(candidates))


def test_diverged_networks_leave_the_median_and_are_counted() -> None:
    history = random_history(10, 5, seed=1)
    stop(history, 2, 3, DIVERGED)
    figure = draw_learning_curves([candidate("sgd", history)])
    drawn = figure.axes[0].lines[0].get_ydata()
    others = np.delete(history.train_loss, 2, axis=1)
    np.testing.assert_allclose(drawn[3:], np.median(others[3:], axis=1))
    np.testing.assert_allclose(drawn[:3], np.median(history.train_loss[:3], axis=1))
    assert legend(figure) == ["sgd (1 of 5 diverged)"]


def test_a_curve_ends_where_fewer_than_half_of_the_networks_train() -> None:
    history = random_history(30, 5, seed=2)
    for network, epochs in enumerate((10, 12, 20, 25, 30)):
        stop(history, network, epochs)
    figure = draw_learning_curves([candidate("adam", history)])
    for panel in figure.axes:
        assert panel.lines[0].get_xdata()[-1] == 20
        assert panel.get_xlim() == (1, 30)
    assert legend(figure) == ["adam"]
    assert "fewer than half" in words(figure)
    assert "fewer than half" not in words(draw_learning_curves(four_candidates(30, 4)))


def test_a_candidate_without_a_network_is_named_and_the_others_drawn() -> None:
    nothing = random_history(10, 3, seed=0)
    for network in range(3):
        stop(nothing, network, 0, DIVERGED)
    figure = draw_learning_curves(
        [candidate("sgd", nothing), candidate("adam", random_history(10, 3, seed=1))], "adam"
    )
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [0, 10]
    assert legend(figure) == ["sgd (3 of 3 diverged)", "adam (chosen)"]
    assert not figure.axes[0].texts
    alone = draw_learning_curves([candidate("sgd", nothing)])
    assert [panel.texts[0].get_text() for panel in alone.axes] == ["no finite values"] * 4


def test_a_single_epoch_is_a_point_for_each_optimizer() -> None:
    candidates = four_candidates(1, 5)
    figure = draw_learning_curves(candidates)
    for panel, name in zip(figure.axes, FIGURES, strict=True):
        places = [line.get_xdata()[0] for line in panel.lines]
        assert len(set(places)) == 4
        assert np.allclose(places, 1, atol=0.1)
        assert list(panel.get_xticks()) == [1]
        for line, drawn in zip(panel.lines, candidates, strict=True):
            assert line.get_marker() == "o"
            assert line.get_ydata() == pytest.approx(np.median(getattr(drawn.history, name)))


def test_many_epochs_are_thinned_and_the_axis_says_so() -> None:
    history = random_history(100_000, 3, seed=3)
    figure = draw_learning_curves([candidate("sgd", history)])
    epochs = figure.axes[0].lines[0].get_xdata()
    assert 200 <= len(epochs) <= 301
    assert (epochs[0], epochs[-1]) == (1, 100_000)
    stride = int(np.diff(epochs)[0])
    assert figure.axes[2].get_xlabel() == f"epoch (one in {stride} drawn)"
    np.testing.assert_allclose(
        figure.axes[0].lines[0].get_ydata(),
        np.median(history.train_loss[epochs.astype(int) - 1], axis=1),
    )


@pytest.mark.parametrize("worst", [1e30, np.inf])
def test_an_exploding_network_does_not_flatten_the_others(worst: float) -> None:
    calm, wild = random_history(20, 2, seed=1), random_history(20, 2, seed=1)
    wild.train_loss[5:] = worst
    low, high = (
        draw_learning_curves([candidate("adam", calm), candidate("sgd", wild)]).axes[0].get_ylim()
    )
    assert high < 200
    assert low < calm.train_loss.min()


def test_a_loss_of_zero_has_a_place_on_the_log_scale() -> None:
    history = random_history(20, 2, seed=1)
    history.train_loss[10:] = 0.0
    low, _ = draw_learning_curves([candidate("adam", history)]).axes[0].get_ylim()
    assert 1e-7 < low < 1e-5


@pytest.mark.parametrize("level", [2.3, 2.31, 1e-4])
def test_a_narrow_range_still_has_numbers_on_its_axis(level: float) -> None:
    history = random_history(20, 2, seed=1)
    for name in ("train_loss", "validation_loss"):
        getattr(history, name)[:] = level * np.linspace(1.01, 1, 20)[:, None]
    figure = draw_learning_curves([candidate("sgd", history)])
    figure.draw_without_rendering()
    panel = figure.axes[0]
    low, high = panel.get_ylim()
    inside = [
        label.get_text()
        for label, place in zip(panel.get_yticklabels(), panel.get_yticks(), strict=True)
        if low <= place <= high
    ]
    assert len(set(inside)) >= 2
    assert all(float(text.replace("\N{MINUS SIGN}", "-")) > 0 for text in inside)


def chunks(png: bytes) -> list[bytes]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append(png[at + 4 : at + 8])
        at += 12 + length
    return found


@pytest.mark.parametrize(("epochs", "networks"), [(1, 2), (150, 16), (150, 512), (20_000, 4)])
def test_the_picture_is_small_crisp_and_always_the_same(epochs: int, networks: int) -> None:
    candidates = four_candidates(epochs, networks, noise=0.05)
    png = learning_curves(candidates, "adam")
    assert png == learning_curves(candidates, "adam")
    assert len(png) < 120_000
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.size == (1320, 960)
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert {b"tEXt", b"iTXt", b"zTXt", b"tIME"}.isdisjoint(chunks(png))


def test_a_noisy_picture_is_kept_small_too() -> None:
    png = learning_curves(four_candidates(300, 8, noise=0.8))
    assert len(png) < 120_000
    with Image.open(io.BytesIO(png)) as image:
        assert image.width / image.info["dpi"][0] == pytest.approx(8.8, abs=0.02)


def test_threads_draw_what_one_thread_draws() -> None:
    inputs = [four_candidates(30, 3, noise=0.1 * number) for number in range(1, 4)]
    expected = [learning_curves(candidates) for candidates in inputs]
    found: dict[int, bytes] = {}

    def draw(number: int) -> None:
        found[number] = learning_curves(inputs[number])

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(3)] == expected
