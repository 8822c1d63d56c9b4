"""``[search]``: what it takes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from ffn.errors import SettingsError
from ffn.settings.document import check_settings

DATA: dict[str, Any] = {"data": {"source": "a.csv", "target": "y"}}


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"layers": [64, 32]}, "must be a list of lists, such as"),
        ({"layers": [[0]]}, "greater than or equal to 1"),
        ({"layers": []}, "at least 1 item"),
        ({"layers": 64}, "it must be a list"),
        ({"layers": [[8], [8]]}, "must not name a value twice"),
        ({"dropout": [1.0]}, "less than 1"),
        ({"dropout": ["much"]}, "must be a number"),
        ({"label_smoothing": [-0.1]}, "greater than or equal to 0"),
        ({"batch_size": [0]}, "greater than or equal to 1"),
        ({"weight_decay": [float("inf")]}, "must be a finite number"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"trials": 1001}, "less than or equal to 1000"),
        ({"layer": [[8]]}, 'unknown key "search.layer".* Did you mean'),
    ],
)
def test_a_wrong_value_is_one_line(search: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        check_settings(DATA | {"search": search}, "pipeline.toml")
    assert "\n" not in str(refused.value)


def test_decay_needs_adamw() -> None:
    value = DATA | {"optimizers": {"sgd": {}}, "search": {"weight_decay": [0.1]}}
    with pytest.raises(SettingsError, match=r"Add \[optimizers.adamw\], or take"):
        check_settings(value, "pipeline.toml")


def test_without_the_table_recorded_settings_are_those_of_before() -> None:
    assert "search" not in check_settings(DATA, "pipeline.toml").of_training()


def test_recorded_settings_are_read_again() -> None:
    settings = check_settings(DATA | {"search": {"layers": [[8], []], "dropout": [0, 0.5]}}, "a")
    again = check_settings(settings.of_training(), "b")
    assert again.of_training() == settings.of_training()
    assert again.search == settings.search
