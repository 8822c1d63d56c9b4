"""Ensembles under ``split.time``, whose networks all have to see the newest rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffn.training.steps import Refitted
from tests.helpers.retrained import made, run

QUICK = "[training]\nepochs = 8\nnetworks = 4\n{}\n[optimizers.adam]\nlearning_rate = 0.02\n"


def retrained(folder: Path, ensemble: str) -> tuple[Refitted, tuple[str, ...]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 2))
    rows = "".join(
        f"{day},{p:.4f},{q:.4f},{'ab'[int(p + q > 0)]}\n" for day, (p, q) in enumerate(x)
    )
    toml = QUICK.format(f'ensemble = "{ensemble}"') + '[split]\ntime = "day"\n'
    done = run(made(folder, "day,p,q,y\n" + rows, toml))
    return done.refitted, done.prepared.notices


@pytest.mark.parametrize(("ensemble", "networks"), [("resamples", 4), ("distilled", 1)])
def test_the_networks_are_refitted_on_the_newest_rows(
    tmp_path: Path, ensemble: str, networks: int
) -> None:
    refitted, notices = retrained(tmp_path, ensemble)
    assert len(refitted.bundle.network.parameters) == networks
    assert (refitted.student is not None) == (ensemble == "distilled")
    # Refitted networks see all rows of the training part, and validate on none.
    assert len(refitted.history.diverged) == 4
    assert np.isnan(refitted.history.validation_loss).all()
    assert any(
        f'"{ensemble}"' in notice and "never saw the newest rows" in notice for notice in notices
    )
