"""Permutation importance of tables with more columns than the work allowed is enough for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ffn.evaluation.importance import permutation_importance
from ffn.promotion.register import jsonable
from ffn.reports.held_out import importance_markdown
from tests.helpers.gated import table
from tests.helpers.retrained import Run, made, run

DECIDE = [3, 17, 41]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An ensemble of four networks for 50 columns, of which three decide the label."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1_500, 50))
    labels = x[:, DECIDE] @ (3, -2, 2) + rng.normal(size=1_500) > 0
    lines = [
        ",".join([*(f"{v:.4f}" for v in row), "ab"[y]])
        for row, y in zip(x, labels.astype(int), strict=True)
    ]
    settings = (
        "[training]\nepochs = 12\nnetworks = 4\nensemble = true\n"
        "[optimizers.adam]\nlearning_rate = 0.01\n"
    )
    header = ",".join([*(f"c{column:02}" for column in range(50)), "y"])
    return run(made(tmp_path_factory.mktemp("wide"), table(lines, header), settings))


def asked_at_most(done: Run, times: int) -> float:
    """Multiplications of asking the model so many times."""
    return times * done.refitted.bundle.network.parameters.size


@pytest.mark.parametrize("repeats", [1, 5])
def test_all_of_fifty_features_are_covered(wide: Run, repeats: int) -> None:
    bundle, prepared = wide.refitted.bundle, wide.prepared
    x, labels = np.asarray(prepared.x_test), np.asarray(prepared.labels_test)
    enough = asked_at_most(wide, 50 * repeats * len(x))
    found, again = (
        permutation_importance(bundle, x, labels, 0, multiplications=enough) for _ in range(2)
    )
    assert jsonable(found) == jsonable(again)
    assert bundle.network.parameters.shape[0] == 4
    assert (found.rows, found.repeats, found.left_out) == (len(x), repeats, 0)
    assert "unpermuted" not in jsonable(found)
    names = [feature.name for feature in found.features]
    assert sorted(names) == [f"c{column:02}" for column in range(50)]
    assert set(names[:3]) == {"c03", "c17", "c41"}
    # Expected is the mean over all pairs of a row and the row that its cell is taken from.
    assert names[0] == "c03"
    # A probability below a millionth counts as one.
    own = -np.log(np.maximum(1e-6, bundle.probabilities(x)[np.arange(len(x)), labels]))
    for feature in found.features[:3]:
        swapped = np.repeat(x, len(x), axis=0)
        column = [f.name for f in bundle.schema.numeric].index(feature.name)
        swapped[:, column] = np.tile(x[:, column], len(x))
        each = bundle.probabilities(swapped)[np.arange(len(swapped)), np.repeat(labels, len(x))]
        exact = -np.log(np.maximum(1e-6, each)).mean() - own.mean()
        assert feature.log_loss.low < exact < feature.log_loss.high
        assert feature.log_loss.low > 0


def test_features_beyond_the_limit_are_left_out_by_name(wide: Run) -> None:
    bundle, prepared = wide.refitted.bundle, wide.prepared
    x, labels = prepared.x_test, prepared.labels_test
    few = asked_at_most(wide, 200 * 5)
    found = permutation_importance(bundle, x, labels, 0, multiplications=few)
    assert (found.rows, found.repeats, found.left_out) == (200, 1, 45)
    kept = {feature.name for feature in found.features}
    assert {"c03", "c17", "c41"} < kept
    every = [f"c{column:02}" for column in range(50)]
    assert list(found.unpermuted) == [name for name in every if name not in kept]
    assert jsonable(found)["unpermuted"] == list(found.unpermuted)
    text = importance_markdown(found)
    named = ", ".join(found.unpermuted[:30])
    assert (
        "Not permuted: 45 features that the first layer of the network depends on less: "
        f"{named} and 15 others, which metrics.json names." in text
    )


def test_a_column_that_hardly_varies_is_left_out_whatever_its_weight(wide: Run) -> None:
    """A model does not depend on a constant, which the size of its weights does not show."""
    bundle = wide.refitted.bundle
    network = bundle.network.select(range(4))
    network.layers[0][..., 8] *= 100
    constant = np.array(wide.prepared.x_test)
    constant[:, 8] = 1
    heavy = dataclasses.replace(bundle, network=network)
    few = asked_at_most(wide, 200 * 49)
    found = permutation_importance(
        heavy, constant, wide.prepared.labels_test, 0, multiplications=few
    )
    assert found.unpermuted == ("c08",)
