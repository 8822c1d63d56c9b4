"""The recipe of a new pipeline, by the size of its table."""

from __future__ import annotations

import pytest

from ffn.profiling.recipe import recipe_for
from ffn.profiling.table_profile import TableProfile


def profile(numbers: int, categories: int = 1, classes: int = 5) -> TableProfile:
    kinds = {f"n{i}": "numeric" for i in range(numbers)}
    kinds |= {f"c{i}": "categorical" for i in range(categories)}
    return TableProfile(
        exclude=[],
        kinds=kinds,
        formats={},
        missing=[],
        labels={},
        facts=["a table"],
        notices=[],
        classes=classes,
    )


def test_networks_get_fewer_and_batches_larger_as_rows_grow() -> None:
    recipes = [recipe_for(profile(3), rows) for rows in (100, 5_000, 200_000, 2_000_000)]
    networks = [recipe.networks for recipe in recipes]
    assert networks == sorted(networks, reverse=True)
    assert len(set(networks)) == 4
    parameters = [recipe.hidden_layers[0] * recipe.hidden_layers[1] for recipe in recipes]
    assert parameters == sorted(parameters)
    batches = [recipe.batch_size for recipe in recipes]
    assert batches == sorted(batches)
    for recipe, rows in zip(recipes, (100, 5_000, 200_000, 2_000_000), strict=True):
        assert rows * 0.8 * recipe.validation_share >= 15, "enough rows to stop a network by"


@pytest.mark.parametrize(
    ("rows", "layers"), [(999, (32, 32)), (1_000, (64, 64)), (10_000, (64, 64)), (10_001, None)]
)
def test_up_to_10_000_rows_one_smaller_network_scores(
    rows: int, layers: tuple[int, ...] | None
) -> None:
    recipe = recipe_for(profile(3), rows)
    assert recipe.student_layers == layers
    assert recipe.boosted_teachers == (4 if 1_000 <= rows <= 10_000 else 0)
    if layers:
        assert max(layers) < max(recipe.hidden_layers)


@pytest.mark.parametrize(("numbers", "bins"), [(3, 16), (222, 16), (223, 4), (666, 4), (667, 0)])
def test_wide_tables_have_fewer_inputs_a_number(numbers: int, bins: int) -> None:
    """At most 4,000 inputs come from the encoding of numbers, of bins + 2 each."""
    assert recipe_for(profile(numbers), 1_000).bins == bins


@pytest.mark.parametrize(
    ("rows", "classes", "layers"),
    [
        (10_000, 4, (64, 64)),
        (10_001, 4, (256, 128)),
        (10_001, 5, None),
        (50_000, 2, (256, 128)),
        (50_001, 2, None),
    ],
)
def test_longer_tables_of_few_classes_have_a_larger_student(
    rows: int, classes: int, layers
) -> None:
    recipe = recipe_for(profile(3, classes=classes), rows)
    assert recipe.student_layers == layers
    assert recipe.boosted_teachers == (4 if layers else 0)
