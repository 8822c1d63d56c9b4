from __future__ import annotations

import pytest

from ffn.models.assessment.statistics import Interval
from ffn.quantities import interval, p_value, percent, seconds

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ((29 / 30, 0.8332960900859082, 0.9940914096183874), "0.967 [0.833, 0.994]"),
        ((1.0, 0.7224672001371107, 1.0), "1.000 [0.722, 1.000]"),
        ((0.05236, 0.0201959, 0.1429831), "0.0524 [0.0202, 0.1430]"),
        ((0.00031416, 0.0002, 0.0004), "0.000314 [0.000200, 0.000400]"),
        ((1e-12, 0.0, 2e-12), "1e-12 [0, 2e-12]"),
        ((0.0, 0.0, 0.1), "0.000 [0.000, 0.100]"),
        ((0.1, 0.0, 0.3), "0.100 [0.000, 0.300]"),
        ((-0.0427, -0.1628, 0.0774), "-0.0427 [-0.1628, 0.0774]"),
        ((0.5, 0.0, INF), "0.500 (no interval)"),
        ((0.5, 0.2, INF), "0.500 [0.200, no upper bound]"),
        ((0.5, -INF, 0.7), "0.500 [no lower bound, 0.700]"),
        ((0.5, -INF, INF), "0.500 (no interval)"),
        ((NAN, 0.0, 1.0), "\N{EN DASH} [0.000, 1.000]"),
        ((1.5e8, 1.0, 3e30), "1.5e+08 [1.000, 3e+30]"),
    ],
)
def test_a_figure_comes_with_its_interval(figure: tuple[float, float, float], text: str) -> None:
    assert interval(Interval(*figure)) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1.0, "1.000"),
        (0.0496, "0.0496"),
        (0.05, "0.050"),
        (0.05004, "0.05004"),
        (0.001, "0.001"),
        (0.00099, "< 0.001"),
        (0.0, "< 0.001"),
    ],
)
def test_p_values(p: float, text: str) -> None:
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.2, "20 %"),
        (0.125, "12.5 %"),
        (0.004, "0.4 %"),
        (0.07, "7 %"),
        (0.999, "99.9 %"),
        (0.9996, "99.96 %"),
        (0, "0 %"),
        (1, "100 %"),
    ],
)
def test_shares_are_not_rounded_away(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0.0543, "0.0543"), (1.234, "1.23"), (99.94, "99.9"), (100.4, "100"), (12345.6, "12,346")],
)
def test_wall_time(duration: float, text: str) -> None:
    assert seconds(duration) == text
