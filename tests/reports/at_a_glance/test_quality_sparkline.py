"""The small picture of realised quality: where its marks are, and what it says in words."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import Promise
from ffn.monitoring.realised_quality import WeekQuality
from ffn.reports.at_a_glance.quality_sparkline import quality_sparkline
from tests.monitoring.test_realised_quality import FIGURES, QUALITY


def week(number: int, *accuracy: float) -> WeekQuality:
    figures = replace(FIGURES, accuracy=Interval(*accuracy))
    return WeekQuality(week=f"2026-W{number}", scored=9, estimated=0.8, figures=figures)


def drawn(svg: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for element in ElementTree.fromstring(svg):
        found.setdefault(element.get("class", element.tag), []).append(element.attrib)
    return found


def test_marks_are_where_the_figures_are():
    """The axis is 56 high with margins of 6, here from 0.5 at y = 50 to 0.9 at y = 6."""
    promised = replace(QUALITY.promised, accuracy=Interval(0.8, 0.7, 0.9))
    weeks = (week(45, 0.7, 0.6, 0.8), week(46, 0.6, 0.5, 0.7))
    marks = drawn(quality_sparkline(replace(QUALITY, promised=promised, weeks=weeks)))
    assert [mark["cy"] for mark in marks["week"]] == ["28.0", "39.0"]
    assert [mark["cx"] for mark in marks["week"]] == ["6.0", "254.0"]
    assert [(mark["y1"], mark["y2"]) for mark in marks["range"]] == [
        ("17.0", "39.0"),
        ("28.0", "50.0"),
    ]
    (band,) = marks["promised"]
    assert (band["y"], band["height"]) == ("6.0", "22.0")
    (promise,) = marks["promise"]
    assert promise["y1"] == promise["y2"] == "17.0"


def test_it_says_what_it_shows():
    svg = quality_sparkline(QUALITY)
    said = "realised accuracy of 1 week, in 2026-W45 0.761 [0.745, 0.776]; "
    said += "promised 0.784 [0.777, 0.797]"
    assert ElementTree.fromstring(svg).get("aria-label") == said


def test_each_promise_that_may_apply_has_its_band():
    """The axis is from 0.4 at y = 50 to 0.8 at y = 6; what the held-out rows say is not on it."""
    later = Promise(kind="time", column="day", accuracy=Interval(0.7, 0.6, 0.8), log_loss=None)
    group = Promise(kind="group", column="who", accuracy=Interval(0.5, 0.4, 0.6), log_loss=None)
    promised = replace(QUALITY.promised, unseen=(later, group))
    svg = quality_sparkline(replace(QUALITY, promised=promised, weeks=(week(45, 0.7, 0.6, 0.8),)))
    marks = drawn(svg)
    assert [(band["y"], band["height"]) for band in marks["promised"]] == [
        ("6.0", "22.0"),
        ("28.0", "22.0"),
    ]
    assert [line["y1"] for line in marks["promise"]] == ["17.0", "39.0"]
    said = ElementTree.fromstring(svg).get("aria-label")
    assert said is not None
    assert said.endswith(
        '; promised 0.700 [0.600, 0.800] for rows later by "day" and 0.500 [0.400, 0.600] for new '
        'values of "who"'
    )


def test_without_a_promise_there_is_no_band():
    marks = drawn(
        quality_sparkline(replace(QUALITY, promised=replace(QUALITY.promised, accuracy=None)))
    )
    assert "promised" not in marks
    assert len(marks["week"]) == 1


@pytest.mark.parametrize("quality", [None, replace(QUALITY, weeks=QUALITY.weeks[1:])])
def test_without_labels_there_is_no_picture(quality):
    assert quality_sparkline(quality) == ""


def test_it_shows_the_last_half_year():
    weeks = tuple(week(number, 0.7, 0.6, 0.8) for number in range(10, 50))
    assert len(drawn(quality_sparkline(replace(QUALITY, weeks=weeks)))["week"]) == 26
