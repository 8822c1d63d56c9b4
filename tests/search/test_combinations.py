"""Candidates of a search: the product, what is drawn of it, and how each is called."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ffn.search.combinations import (
    combinations,
    file_label,
    largest_first,
    product_size,
    with_combination,
)
from ffn.settings.document import PipelineSettings, check_settings
from ffn.settings.pipeline import Pipeline


def settings(
    optimizers: dict[str, Any], search: dict[str, Any], seed: int = 42
) -> PipelineSettings:
    value = {
        "data": {"source": "a.csv", "target": "y"},
        "training": {"seed": seed},
        "optimizers": optimizers,
        "search": search,
    }
    return check_settings(value, "pipeline.toml")


def test_without_a_search_the_candidates_are_the_optimizers() -> None:
    plain = settings({"adam": {}, "sgd": {}}, {})
    assert list(combinations(plain)) == ["sgd", "adam"] == largest_first(plain)


def test_names_say_what_differs_and_the_smallest_network_comes_first() -> None:
    found = settings({"adamw": {}}, {"layers": [[8, 4], [8]], "dropout": [0.0, 0.1]})
    assert list(combinations(found)) == [
        "adamw 8, dropout 0",
        "adamw 8, dropout 0.1",
        "adamw 8-4, dropout 0",
        "adamw 8-4, dropout 0.1",
    ]
    assert largest_first(found)[0].startswith("adamw 8-4")
    assert list(combinations(settings({"adamw": {}}, {"layers": [[8]], "dropout": [0.1]}))) == [
        "adamw"
    ]


def test_only_adamw_decays() -> None:
    found = settings({"sgd": {}, "adamw": {}}, {"weight_decay": [0.1, 0.2, 0.3]})
    assert [*combinations(found)] == [
        "sgd",
        "adamw, decay 0.1",
        "adamw, decay 0.2",
        "adamw, decay 0.3",
    ]
    assert product_size(found) == 4


def test_of_too_many_as_many_as_asked_for_are_drawn_evenly_and_again() -> None:
    lists = {
        "layers": [[n] for n in range(1, 11)],
        "dropout": [n / 10 for n in range(10)],
        "trials": 40,
    }
    found = settings({"adam": {}}, lists)
    drawn = combinations(found)
    assert len(drawn) == 40
    assert product_size(found) == 100
    assert [*drawn] == [*combinations(settings({"adam": {}}, lists))]
    assert [*drawn] != [*combinations(settings({"adam": {}}, lists, seed=43))]
    for key in ("layers", "dropout"):
        counts = Counter(one.values[key] for one in drawn.values())
        # Each of ten values four times, give or take one: so it is in 1 of 1,000 draws by chance.
        assert set(counts.values()) <= {3, 4, 5}
        assert len(counts) == 10
    assert len({file_label(name) for name in drawn}) == 40


def test_a_candidate_has_its_settings_and_nothing_else_changes(tmp_path: Path) -> None:
    found = settings(
        {"adamw": {}}, {"layers": [[8], [4]], "weight_decay": [0.5], "batch_size": [7]}
    )
    pipeline = Pipeline(name="a", settings=found, folder=tmp_path, artifacts=tmp_path)
    made, search = with_combination(pipeline, "adamw 4")
    assert made.settings.network.hidden_layers == (4,)
    assert made.settings.training.batch_size == 7
    assert vars(search.optimizer)["weight_decay"] == 0.5
    assert made.settings.data == found.data
    assert made.settings.training.model_copy(update={"batch_size": 32}) == found.training


def test_a_file_is_called_without_blanks_and_folders() -> None:
    assert file_label("adamw") == "adamw"
    assert file_label("../a 1, b/c") == "..-a-1-b-c"
