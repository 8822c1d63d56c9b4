"""Intervals in JSON files that another release wrote, or that are damaged."""

from __future__ import annotations

import json

import pytest

from ffn.criteria.recorded_values import interval_in


def test_an_infinite_bound_is_null() -> None:
    document = json.loads('{"loss": {"value": 0.5, "low": 0.25, "high": null}}')
    found = interval_in(document, "loss")
    assert found is not None
    assert (found.value, found.low, found.high) == (0.5, 0.25, float("inf"))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"loss": 0.5}',
        '{"loss": {"value": null, "low": 0.25, "high": 1}}',
        '{"loss": {"value": 0.5, "low": true, "high": 1}}',
        '{"loss": {"value": "0.5", "low": 0.25, "high": 1}}',
        '{"loss": {"value": 0.5, "low": 0.25, "high": 1' + "0" * 400 + "}}",
    ],
)
def test_anything_else_is_no_interval(text: str) -> None:
    assert interval_in(json.loads(text), "loss") is None
