"""Sentences on learning rates, as functions of the figures; and the picture."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from ffn.reports.pictures.loss_by_rate import draw_loss_by_rate, loss_by_rate
from ffn.reports.rates_section import edge_doubts, ended_notices, rate_sentence, rates_markdown
from ffn.training.rate_search import search_rates
from ffn.training.selection.leaderboard import Ranked
from ffn.training.selection.model_selection import select_best
from tests.helpers.histories import candidate

RATES = (0.003, 0.01, 0.03)
LOSSES = np.array([[0.9, 0.8], [0.4, 0.5], [0.7, 0.6]])


def line(losses: np.ndarray, tried: list[int] | None = None, name: str = "adam") -> Ranked:
    """A line of a leaderboard with losses [R, K] at the rates."""
    search = search_rates(RATES[: len(losses)], losses, 0.25, tried)
    made = candidate(name, losses[search.best])
    changed = type(made)(**{**vars(made), "search": search})
    return select_best([changed]).leaderboard[0]


def test_the_chosen_rate_is_named_with_those_it_was_the_best_of() -> None:
    assert (
        rate_sentence(line(LOSSES)) == "adam: learning rate 0.01, the best of 3 from 0.003 to 0.03."
    )
    assert rate_sentence(line(LOSSES[:1])) == "adam: learning rate 0.003, as set."
    assert edge_doubts([line(LOSSES), line(LOSSES[:1])]) == []


@pytest.mark.parametrize(
    ("order", "rate", "which", "other"),
    [([1, 0, 2], "0.003", "lowest", "lower"), ([0, 2, 1], "0.03", "highest", "higher")],
)
def test_a_rate_at_the_edge_is_doubted(order, rate: str, which: str, other: str) -> None:
    doubt = f"{rate} is the {which} rate that was tried; a {other} one may be better."
    found = line(LOSSES[order])
    assert doubt in rate_sentence(found)
    assert edge_doubts([line(LOSSES), found]) == [f"adam: {doubt}"]


def test_rates_that_diverged_or_were_dropped_are_counted() -> None:
    nan = np.nan
    diverged = line(np.array([[0.9, 0.8], [0.4, 0.5], [nan, 0.6]]))
    assert "At 1 rate some or all networks diverged." in rate_sentence(diverged)
    dropped = line(np.array([[0.9, nan], [0.4, 0.5], [nan, nan]]), tried=[1, 2, 0])
    assert rate_sentence(dropped).endswith(
        "Shown to be worse and dropped after some of the resamples: 2 rates."
    )
    assert "diverged" not in rate_sentence(dropped)


def test_networks_that_the_time_budget_ended_are_counted() -> None:
    whole = line(LOSSES)
    assert ended_notices([whole]) == []
    assert ended_notices([whole, dataclasses.replace(whole, ended=1)]) == [
        "adam: the time budget ended 1 of 2 networks before they had finished; their best epoch "
        "so far is used"
    ]


def test_the_section_has_a_picture_where_there_was_a_choice() -> None:
    both = [line(LOSSES), line(LOSSES[:1], name="sgd")]
    assert "](rates.png)" in rates_markdown(both, "rates.png")
    assert rates_markdown(both[1:], None) == "- sgd: learning rate 0.003, as set."


def test_the_picture_shows_each_mean_and_rings_the_chosen_one() -> None:
    adam, sgd = line(LOSSES), line(LOSSES[[1, 0, 2]], name="sgd")
    (panel,) = draw_loss_by_rate([adam, sgd]).axes
    curves = [curve for curve in panel.lines if curve.get_linestyle() != "None"]
    rings = [curve for curve in panel.lines if curve.get_linestyle() == "None"]
    # The simplest first, each a little aside of the rate.
    assert [curve.get_label() for curve in curves] == ["sgd", "adam"]
    np.testing.assert_allclose(curves[1].get_ydata(), LOSSES.mean(axis=1))
    np.testing.assert_allclose(curves[1].get_xdata(), RATES, rtol=0.04)
    assert [float(ring.get_ydata()[0]) for ring in rings] == pytest.approx([0.45, 0.45])
    np.testing.assert_allclose([ring.get_xdata()[0] for ring in rings], [0.003, 0.01], rtol=0.04)


@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_the_picture_shows_each_interval_whole(spread: float) -> None:
    losses = np.array([[0.5, 0.55, 0.6], [0.6, 0.6 + spread, 0.6 + 2 * spread], [0.5, 0.5, 0.6]])
    drawn = line(losses)
    (panel,) = draw_loss_by_rate([drawn]).axes
    low, high = panel.get_ylim()
    assert max(one.loss.high for one in drawn.rates) < high
    assert all(low < one.loss.low or one.loss.low <= 0 for one in drawn.rates)


@pytest.mark.parametrize("name", ["adamw 256-128", "momentum no hidden layer, smoothing 0.05"])
def test_the_candidates_of_a_search_are_named_in_full(name: str) -> None:
    lines = [line(LOSSES, name=f"{name}, dropout 0.{n}5, decay 0.01") for n in range(6)]
    figure = draw_loss_by_rate(lines)
    figure.draw_without_rendering()
    (panel,), (legend,) = figure.axes, figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [one.optimizer for one in lines]
    box = legend.get_window_extent()
    assert figure.bbox.x0 < box.x0 < box.x1 < figure.bbox.x1
    assert panel.bbox.y1 < box.y0 < box.y1 < figure.texts[0].get_window_extent().y0


@pytest.mark.parametrize(
    "losses",
    [LOSSES, LOSSES[:1], np.full((3, 2), 1e-9), np.zeros((3, 2)), LOSSES[:, :1]],
    ids=["three rates", "one rate", "tiny", "zero", "one resample"],
)
def test_every_leaderboard_can_be_drawn(losses: np.ndarray) -> None:
    png = loss_by_rate([line(losses)])
    assert Image.open(io.BytesIO(png)).width > 500
    assert loss_by_rate([line(losses)]) == png
