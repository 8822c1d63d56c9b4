"""The picture of coverage and accuracy: what is drawn is what was measured."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ffn.decision_rules.rule import DecisionRule
from ffn.evaluation.decision_evaluation import CoveragePoint, coverage_curve
from ffn.reports.pictures.coverage_accuracy import coverage_accuracy, draw_coverage_accuracy


def curve_of(rule: DecisionRule) -> tuple[CoveragePoint, ...]:
    generator = np.random.default_rng(0)
    share = generator.uniform(0.5, 1, 300)
    labels = (generator.random(300) > share).astype(int)
    return coverage_curve(np.stack([share, 1 - share], axis=1), labels, rule)


def test_points_stand_at_coverage_and_accuracy_and_the_one_in_use_has_a_ring() -> None:
    curve = curve_of(DecisionRule(abstain_below=0.75))
    (panel,) = draw_coverage_accuracy(curve, 0.75).axes
    line, ring = panel.lines
    points = [point for point in curve if point.rows]
    assert line.get_xdata().tolist() == [point.coverage.value for point in points]
    assert line.get_ydata().tolist() == [point.accuracy.value for point in points]
    (used,) = [point for point in points if point.below == 0.75]
    # Of shares even from 0.5 to 1, half are above 0.75, where labels are right in 7 of 8.
    assert used.coverage.value == pytest.approx(0.5, abs=0.06)
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (
        used.coverage.value,
        used.accuracy.value,
    )
    (bars,) = panel.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [(p.accuracy.low, p.accuracy.high) for p in points])
    named = [text.get_text() for text in panel.texts]
    # 0 and 0.5 label the same rows and share a place.
    assert named[0] == "0"
    assert "0.5" not in named
    assert {"0.6", "0.75", "0.9"} <= {*named}


def test_without_any_label_nothing_is_drawn_and_nothing_fails() -> None:
    curve = tuple(point for point in curve_of(DecisionRule()) if point.below == 0.99)
    empty = [
        CoveragePoint(below=0.99, rows=0, coverage=curve[0].coverage, accuracy=curve[0].accuracy)
    ]
    (panel,) = draw_coverage_accuracy(empty, 0.99).axes
    assert panel.lines[0].get_xdata().tolist() == []


def test_the_png_is_reproducible() -> None:
    curve = curve_of(DecisionRule())
    image = coverage_accuracy(curve, 0.0)
    assert image == coverage_accuracy(curve, 0.0)
    assert Image.open(io.BytesIO(image)).format == "PNG"
