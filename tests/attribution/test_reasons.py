"""Which values become reasons, and in what order."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.attribution.reasons import (
    NO_REASON,
    is_reason_value,
    reason_columns,
    top_reasons,
    value_units,
)
from ffn.attribution.shapley_rows import ShapleyRows
from tests.helpers.explainable import explainable


def rows(values: list[list[float]], errors: float = 0.0, exact: bool = True) -> ShapleyRows:
    found = np.array(values)
    return ShapleyRows(found, np.full(found.shape, errors), np.full(len(found), exact))


def test_the_largest_come_first_whatever_their_sign() -> None:
    found = top_reasons(rows([[0.1, -0.3, 0.2], [0.0, 0.00004, -0.5]]), 2)
    assert found.columns.tolist() == [[1, 2], [2, NO_REASON]]
    assert found.units.tolist() == [[-3000, 2000], [-5000, 0]]
    assert found.error_units.tolist() == [0, 0]


def test_equal_ones_are_in_the_order_of_the_columns() -> None:
    # They differ by rounding errors, as they do from one batch to another.
    found = top_reasons(rows([[0.03125 - 1e-16, 0.03125 + 1e-16, -0.03125, 0.2]]), 9)
    assert found.columns.tolist() == [[3, 0, 1, 2]]
    assert found.units[0, 1] == found.units[0, 2] == -found.units[0, 3]


@pytest.mark.parametrize("noise", [-1e-15, 0.0, 1e-15])
def test_a_half_is_rounded_alike_whatever_the_noise(noise: float) -> None:
    assert value_units(np.array([0.00125 + noise, 0.03125 + noise])).tolist() == [12, 312]


def test_the_error_is_the_largest_of_the_reasons_and_rounded_up() -> None:
    values = ShapleyRows(
        np.array([[0.5, 0.4, 0.1]]), np.array([[0.00101, 0.002, 0.3]]), np.array([False])
    )
    assert top_reasons(values, 1).error_units.tolist() == [11]
    assert top_reasons(values, 2).error_units.tolist() == [20]


def test_names_of_the_columns() -> None:
    two = explainable(1, 1).schema
    pairs = ["reason_1", "reason_1_value", "reason_2", "reason_2_value"]
    assert reason_columns(two, 0) == []
    assert reason_columns(two, 1) == pairs[:2]
    # There are no more reasons than columns.
    assert reason_columns(two, 9) == pairs
    assert reason_columns(explainable(11, 0).schema, 1) == [*pairs[:2], "reasons_error"]
    assert reason_columns(explainable(10, 0).schema, 1) == pairs[:2]
    assert [name for name in pairs if is_reason_value(name)] == pairs[1::2]
    assert is_reason_value("reasons_error")
