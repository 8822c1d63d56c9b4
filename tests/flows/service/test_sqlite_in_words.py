"""What `ffn serve` says of a database that has one writer at a time."""

from __future__ import annotations

import pytest

from flows.service.serving import sqlite_in_words


@pytest.mark.parametrize(
    ("pipelines", "at_once", "told"),
    [
        (1, 4, ""),
        (4, 4, ""),
        (5, 4, "at most 4 retrainings and as many scoring runs are at work, others wait."),
        (3, 1, "at most 1 retraining and as many scoring runs are at work, others wait."),
        (16, 16, ""),
        (17, 16, "at most 16 retrainings and as many scoring runs are at work, others wait."),
    ],
)
def test_runs_that_wait_are_told_of(pipelines: int, at_once: int, told: str) -> None:
    assert sqlite_in_words(pipelines, at_once, None).partition("at a time: ")[2] == told


def test_workers_are_to_be_limited() -> None:
    said = sqlite_in_words(1, 16, "nightly")
    assert "limit the workers (prefect worker start --limit 4)" in said
