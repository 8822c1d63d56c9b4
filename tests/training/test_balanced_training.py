"""``class_weight = "balanced"``: probabilities at the true shares all the same."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.retrained import made, prepare, run


@pytest.mark.parametrize("ensemble", ["none", "resamples", "distilled"])
def test_balanced_weights_leave_the_probabilities_at_the_true_shares(
    tmp_path, ensemble: str
) -> None:
    """Of a cell's rows one in ten is "b", or one in fifty, whatever the weights were."""
    rows = "".join(
        f"{cell},{'b' if i % (10, 50)[cell] == 0 else 'a'}\n" for i in range(500) for cell in (0, 1)
    )
    toml = (
        "[training]\nepochs = 60\nnetworks = 3\nclass_weight = 'balanced'\n"
        f"ensemble = '{ensemble}'\n[network]\nhidden_layers = []\n"
        "[optimizers.adam]\nlearning_rate = 0.03"
    )
    found = run(made(tmp_path, "cell,y\n" + rows, toml))
    x, labels = found.prepared.training.x, found.prepared.labels_train
    cells, place = np.unique(x, axis=0, return_inverse=True)
    shares_of_b = np.bincount(place.ravel(), labels) / np.bincount(place.ravel())
    assert shares_of_b.max() > 3 * shares_of_b.min()
    # The networks of an ensemble know four fifths of the rows each.
    found_shares = found.refitted.bundle.probabilities(cells)[:, 1]
    assert found_shares == pytest.approx(shares_of_b, rel=0.3)
    (said,) = [notice for notice in found.prepared.notices if "class_weight" in notice]
    assert said.endswith("set thresholds or costs in [decision]")


@pytest.mark.parametrize("decision", ["thresholds = {b = 0.1}", "costs = {b = {a = 9}}"])
def test_nothing_is_said_of_weights_where_a_rule_decides(tmp_path, decision: str) -> None:
    rows = "".join(f"{i},{i % 7},{'aaaab'[i % 5]}\n" for i in range(100))
    toml = f"[training]\nclass_weight = 'balanced'\n[decision]\n{decision}"
    prepared = prepare(made(tmp_path, "p,q,y\n" + rows, toml))
    assert not any("class_weight" in notice for notice in prepared.notices)
