"""What is said of candidates follows from the settings."""

from __future__ import annotations

from typing import Any

import pytest

from ffn.search.search_words import batches_in_words, candidate_noun
from ffn.settings.document import PipelineSettings


def settings(**search: Any) -> PipelineSettings:
    return PipelineSettings.model_validate(
        {
            "data": {"source": "train.csv", "target": "y"},
            "training": {"batch_size": 32},
            "optimizers": {"adam": {}, "sgd": {}},
            **({"search": search} if search else {}),
        }
    )


@pytest.mark.parametrize(
    ("search", "noun", "batches"),
    [
        ({}, "optimizer", "batches of 32 rows"),
        ({"dropout": [0.0, 0.1]}, "candidate", "batches of 32 rows"),
        ({"batch_size": [64]}, "optimizer", "batches of 64 rows"),
        ({"batch_size": [1]}, "optimizer", "batches of 1 row"),
        # No more are drawn than there are optimizers, of more combinations.
        ({"dropout": [0.0, 0.1, 0.2], "trials": 2}, "candidate", "batches of 32 rows"),
        (
            {"batch_size": [2048, 64, 128], "layers": [[8], [4]]},
            "candidate",
            "batches of 64, 128 and 2,048 rows",
        ),
    ],
)
def test_candidates_and_their_batches_are_named(
    search: dict[str, Any], noun: str, batches: str
) -> None:
    assert candidate_noun(settings(**search)) == noun
    assert batches_in_words(settings(**search)) == batches
