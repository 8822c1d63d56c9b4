from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import (
    both_told_apart,
    counted,
    difference,
    interval,
    listed,
    more,
    p_equals,
    p_value,
    percent,
    seconds,
    share_of,
    told_apart,
)

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


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 columns more"), (1, "1 column more"), (1_234, "1,234 columns more")],
)
def test_none_one_and_many(number: int, text: str) -> None:
    assert more(number, "column") == text
    assert counted(number, "column") == text.removesuffix(" more")
    assert counted(number, "class", "classes") == text.removesuffix(" more").replace(
        "columns", "classes"
    ).replace("column", "class")


def test_a_p_value_in_prose_has_one_sign() -> None:
    assert (p_equals(0.0004), p_equals(0.043)) == ("p < 0.001", "p = 0.043")


@given(st.floats(0.001, 1))
def test_a_p_value_stays_on_its_side_of_the_usual_levels(p: float) -> None:
    shown = float(p_value(p))
    assert shown == pytest.approx(p, abs=5e-4)
    for level in (0.05, 0.01):
        assert (shown < level, shown == level) == (p < level, p == level)


@given(st.floats(0, 1), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.floats(-1e-5, 1e-5))
def test_a_figure_never_seems_to_reach_a_limit_that_it_does_not(
    value: float, limit: float, near: float
) -> None:
    for figure in (value, min(1.0, limit + near)):
        shown = float(told_apart(figure, limit, 3))
        assert (shown < limit, shown == limit) == (figure < limit, figure == limit)
        one, other = map(float, both_told_apart(figure, limit, 3))
        assert (one < other, one == other) == (figure < limit, figure == limit)


BOUND = st.floats(-2, 2) | st.floats(-1e-9, 1e-9)


@given(BOUND, BOUND, BOUND)
def test_whether_zero_is_in_an_interval_can_be_read_off(a: float, b: float, c: float) -> None:
    low, value, high = sorted((a, b, c))
    text = difference(Interval(value, low, high))
    shown = [float(number) for number in re.findall(r"[-+][\d.e-]+", text)]
    assert [(n > 0) - (n < 0) for n in shown] == [(n > 0) - (n < 0) for n in (value, low, high)]
    assert shown == pytest.approx([value, low, high], abs=5e-5)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_of_some_is_neither_none_nor_all(part: int, whole: int) -> None:
    part = min(part, whole)
    text = share_of(part, whole)
    assert (text == "0.0 %") == (part == 0)
    assert (text == "100.0 %") == (part == whole)
    if text[0] not in "<>":
        assert float(text.removesuffix(" %")) == pytest.approx(100 * part / whole, abs=0.0501)


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_in_a_sentence(names: list[str], text: str) -> None:
    assert listed(names) == text
