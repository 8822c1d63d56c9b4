"""The reliability picture and that of the features: what is drawn is what was measured."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ffn.evaluation.calibration import measure_calibration
from ffn.evaluation.importance import FeatureImportance, Importance
from ffn.evaluation.inference.statistics import Interval
from ffn.reports.pictures.feature_importance import DRAWN, draw_importance, feature_importance
from ffn.reports.pictures.reliability_diagram import draw_reliability, reliability
from tests.helpers.report_inputs import Reported


def importance_of(values: list[float], names: list[str]) -> Importance:
    features = tuple(
        FeatureImportance(
            name=name,
            log_loss=Interval(value, value - 0.5, value + 1.0),
            accuracy=Interval(0.0, 0.0, 0.0),
        )
        for name, value in zip(names, values, strict=True)
    )
    return Importance(features=features, left_out=0, rows=30, repeats=20)


def test_points_stand_at_confidence_and_accuracy() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 300)
    labels = (rng.random(300) > confidence).astype(int)
    found = measure_calibration(np.stack((confidence, 1 - confidence), axis=1), labels, 0)
    above, below = draw_reliability(found).axes
    diagonal, points = above.lines[:2]
    assert diagonal.get_xdata().tolist() == diagonal.get_ydata().tolist()
    assert points.get_xdata().tolist() == [one.confidence for one in found.bins]
    assert points.get_ydata().tolist() == [one.accuracy.value for one in found.bins]
    (whiskers,) = above.collections
    ends = [segment[:, 1].tolist() for segment in whiskers.get_segments()]
    expected = [(one.accuracy.low, one.accuracy.high) for one in found.bins]
    np.testing.assert_allclose(ends, expected)
    heights = [bar.get_height() for bar in below.patches]
    assert heights == [one.rows for one in found.bins]
    assert sum(heights) == 300
    low, high = above.get_ylim()
    assert low < 0
    assert high > 1


def test_bars_are_as_long_as_features_are_worth_the_first_on_top() -> None:
    (panel,) = draw_importance(importance_of([2.0, 0.5, -0.1], ["a", "b", "c"])).axes
    assert [bar.get_width() for bar in panel.patches] == [-0.1, 0.5, 2.0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["c", "b", "a"]
    (whiskers,) = panel.collections
    ends = [segment[:, 0].tolist() for segment in whiskers.get_segments()]
    np.testing.assert_allclose(ends, [(-0.6, 0.9), (0.0, 1.5), (1.5, 3.0)])


def test_of_many_features_the_first_are_drawn_and_names_stay_text() -> None:
    names = ["$x^2$", "宠物", "a" * 90, *map(str, range(40))]
    found = importance_of(list(np.linspace(3, 0, len(names))), names)
    (panel,) = draw_importance(found).axes
    labels = [label.get_text() for label in panel.get_yticklabels()][::-1]
    assert len(labels) == DRAWN
    assert labels[:2] == ["$x^2$", "feature 2"]
    assert not any(label.get_parse_math() for label in panel.get_yticklabels())
    assert len(labels[2]) < 30
    png = Image.open(io.BytesIO(feature_importance(found)))
    assert png.height < 1_000


def test_wide_names_are_whole() -> None:
    names = [
        "W" * 28,
        "w",
        "a feature with one in the middle of it",
        "a feature with two in the middle of it",
    ]
    figure = draw_importance(importance_of([4.0, 3.0, 2.0, 1.0], names))
    figure.draw_without_rendering()
    (panel,) = figure.axes
    labels = panel.get_yticklabels()
    assert [label.get_text() for label in labels] == ["feature 4", "feature 3", "w", "W" * 28]
    texts = [*labels, panel.xaxis.label]
    for box in (text.get_window_extent() for text in texts):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert panel.get_position().width * 7.2 > 3


def test_a_single_row_has_no_whiskers() -> None:
    alone = FeatureImportance(
        name="a",
        log_loss=Interval(0.5, -np.inf, np.inf),
        accuracy=Interval(0.0, 0.0, 0.0),
    )
    (panel,) = draw_importance(Importance(features=(alone,), left_out=0, rows=1, repeats=20)).axes
    (whiskers,) = panel.collections
    assert np.isfinite(np.concatenate(whiskers.get_segments())).all()


def test_the_same_figures_give_the_same_picture(iris: Reported) -> None:
    calibration, importance = iris.evaluation.calibration, iris.examination.importance
    assert reliability(calibration) == reliability(calibration)
    assert feature_importance(importance) == feature_importance(importance)
