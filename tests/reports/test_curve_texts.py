"""The texts of the learning curves: all within the picture, none over another."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from ffn.reports.pictures.learning_curves import draw_learning_curves
from ffn.training.selection.candidate import Candidate
from tests.helpers.report_inputs import four_candidates, stop


def searched(count: int, name: str) -> list[Candidate]:
    """Candidates of a search, which have long names."""
    return [
        dataclasses.replace(one, optimizer=f"{name}, dropout 0.{number}5, decay 0.01")
        for number, one in enumerate(
            itertools.islice(itertools.cycle(four_candidates(9, 2)), count)
        )
    ]


def diverged(candidates: list[Candidate]) -> list[Candidate]:
    for drawn in candidates:
        stop(drawn.history, 0, 60_000, "the loss is NaN in epoch 3")
    return candidates


@pytest.mark.parametrize(
    "candidates",
    [
        diverged(four_candidates(100_000, 2)),
        searched(3, "adamw 64"),
        searched(6, "adamw 256-128"),
        searched(6, "momentum no hidden layer, smoothing 0.05, batch 1024"),
    ],
    ids=["diverged", "two lines", "three lines", "six lines"],
)
def test_no_text_leaves_the_picture_and_no_two_overlap(candidates: list[Candidate]) -> None:
    figure = draw_learning_curves(candidates, candidates[-1].optimizer)
    figure.draw_without_rendering()
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    for panel in figure.axes:
        texts += [panel.xaxis.label, panel.yaxis.label, *panel.get_xticklabels()]
        # Those beyond the axis are not drawn.
        low, high = panel.get_ylim()
        texts += [
            label for label in panel.get_yticklabels() if low <= label.get_position()[1] <= high
        ]
        texts.append(panel._left_title)
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert len(boxes) > 20
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
