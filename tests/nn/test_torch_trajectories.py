"""The whole reference run, step by step where PyTorch went: see golden/make_torch_trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffn.nn import OPTIMIZERS, History, Network, OptimizerState, train

GOLDEN = Path(__file__).parent / "golden" / "torch_trajectories.npz"
SETTINGS: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adam": {},
    "adamw": {"weight_decay": 0.01},
}


class Replay:
    """Stands in for a generator and deals the stored orders, one an epoch."""

    def __init__(self, order: np.ndarray) -> None:
        self.epochs: Iterator[np.ndarray] = iter(order)

    def permuted(self, epochs: np.ndarray, *, axis: int, out: np.ndarray) -> None:
        assert axis == 1
        for rows, place in zip(epochs, out, strict=True):
            place[:] = next(self.epochs)
            assert sorted(place) == sorted(rows)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def train_as_stored(
    golden: dict[str, np.ndarray],
    network: Network,
    optimizer: Any,
    replay: Any,
    epochs: int,
    *,
    soft: bool = False,
) -> History:
    return train(
        network,
        optimizer,
        golden["x"],
        golden["soft"] if soft else golden["labels"].astype(int),
        epochs=epochs,
        batch_size=32,
        generators=[replay] * len(network.parameters),
    )


@pytest.mark.parametrize("name", [*SETTINGS, "soft"])
def test_every_optimizer_and_soft_targets_follow_pytorch(
    golden: dict[str, np.ndarray], name: str
) -> None:
    network = Network((4, 16, 4, 3), golden["initial"][None].copy())
    soft = name == "soft"
    kind, settings = ("adam", {}) if soft else (name, SETTINGS[name])
    optimizer = OptimizerState(OPTIMIZERS[kind](learning_rate=0.005, **settings), network)
    replay = Replay(golden["order"])
    losses, done = [], 0
    for epoch, expected in zip(golden["epochs"], golden[f"{name}_parameters"], strict=True):
        passes = int(epoch) - done
        history = train_as_stored(golden, network, optimizer, replay, passes, soft=soft)
        done = int(epoch)
        losses.append(history.train_loss[:, 0])
        difference = np.abs(network.parameters[0] - expected) / np.maximum(1, np.abs(expected))
        assert difference.max() <= 1e-12, f"after epoch {epoch}"
    np.testing.assert_allclose(np.concatenate(losses), golden[f"{name}_loss"], rtol=0, atol=1e-12)


def test_the_four_paths_are_not_the_same(golden: dict[str, np.ndarray]) -> None:
    ends = np.stack([golden[f"{name}_parameters"][-1] for name in [*SETTINGS, "soft"]])
    for i, one in enumerate(ends):
        for other in ends[i + 1 :]:
            assert np.abs(one - other).max() > 0.01


def test_file_is_small_and_holds_the_whole_run(golden: dict[str, np.ndarray]) -> None:
    assert GOLDEN.stat().st_size < 300_000
    assert golden["order"].shape == (150, 120)
    assert golden["epochs"][-1] == 150
