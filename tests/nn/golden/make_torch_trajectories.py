"""Train the reference network with PyTorch and write down where its parameters go.

Run by hand, in an environment of its own; the tests read the file it writes and need no torch::

    python -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy scikit-learn
    PYTHONPATH=. build/torch/bin/python tests/nn/golden/make_torch_trajectories.py

Iris, 120 rows, 4-16-4-3, batches of 32, 150 epochs, learning rate 0.005, float64. Rows, initial
parameters and batch order are drawn here from a seed and stored, so a test repeats the very run
whatever a later NumPy draws. Layout of the file (``.npz``, no pickles):

- ``x`` [120, 4], ``labels`` [120]: standardised rows
- ``initial`` [P]: parameters as ``ffn.nn.Network`` lays them out
- ``order`` [150, 120]: row numbers, epoch by epoch
- ``epochs`` [S]: after how many epochs the parameters were noted
- ``<optimizer>_parameters`` [S, P], ``<optimizer>_loss`` [150]: mean cross-entropy of the 120
  rows after each epoch
- ``soft`` [120, 3]: random probabilities of the classes; ``soft_parameters`` and ``soft_loss``: the
  same for Adam, with these as targets in place of the labels
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_iris

from ffn.nn import Network, spawn_generators

WIDTHS = (4, 16, 4, 3)
EPOCHS, BATCH_SIZE, LEARNING_RATE = 150, 32, 0.005
NOTED = (1, 2, 5, 10, 25, 50, 100, 150)
TARGET = Path(__file__).with_name("torch_trajectories.npz")


def build(initial: np.ndarray) -> torch.nn.Sequential:
    """Return torch's own layers holding our initial parameters."""
    modules: list[torch.nn.Module] = []
    for i, layer in enumerate(Network(WIDTHS, initial[None]).layers):
        linear = torch.nn.Linear(WIDTHS[i], WIDTHS[i + 1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer[0, :, :-1].copy()))
            linear.bias.copy_(torch.from_numpy(layer[0, :, -1].copy()))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def flatten(model: torch.nn.Sequential) -> np.ndarray:
    """Return the model's parameters [P] in the order of ``ffn.nn.Network``."""
    linears = [module for module in model if isinstance(module, torch.nn.Linear)]
    rows = [torch.hstack([m.weight, m.bias[:, None]]).detach().numpy() for m in linears]
    return np.concatenate([row.ravel() for row in rows])


def optimizers(model: torch.nn.Sequential) -> dict[str, torch.optim.Optimizer]:
    """Return the four optimizers under our names."""
    everything = list(model.parameters())
    weights = [p for p in everything if p.ndim == 2]
    biases = [p for p in everything if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": biases, "weight_decay": 0.0}]
    return {
        "sgd": torch.optim.SGD(everything, lr=LEARNING_RATE),
        "momentum": torch.optim.SGD(everything, lr=LEARNING_RATE, momentum=0.9),
        "adam": torch.optim.Adam(everything, lr=LEARNING_RATE),
        "adamw": torch.optim.AdamW(groups, lr=LEARNING_RATE),
    }


def main() -> None:
    """Write the golden file beside this script."""
    torch.set_num_threads(1)
    generator = np.random.default_rng(2024)
    iris = load_iris()
    rows = generator.permutation(150)[:120]
    x = iris.data[rows]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    labels = iris.target[rows]
    initial = Network.create(WIDTHS, spawn_generators(7, 1), np.float64).parameters[0]
    order = np.stack([generator.permutation(120) for _ in range(EPOCHS)])
    golden: dict[str, np.ndarray] = {
        "x": x,
        "labels": labels.astype(np.uint8),
        "initial": initial,
        "order": order.astype(np.uint8),
        "epochs": np.array(NOTED),
    }
    soft = generator.dirichlet([0.5, 0.5, 0.5], size=120)
    golden["soft"] = soft
    inputs, hard = torch.from_numpy(x), torch.from_numpy(labels.astype(np.int64))
    criterion = torch.nn.CrossEntropyLoss()
    for name in ("sgd", "momentum", "adam", "adamw", "soft"):
        model = build(initial)
        optimizer = optimizers(model)["adam" if name == "soft" else name]
        targets = torch.from_numpy(soft) if name == "soft" else hard
        parameters, losses = [], []
        for epoch in range(EPOCHS):
            for batch in torch.from_numpy(order[epoch]).split(BATCH_SIZE):
                optimizer.zero_grad()
                criterion(model(inputs[batch]), targets[batch]).backward()
                optimizer.step()
            with torch.no_grad():
                losses.append(criterion(model(inputs), targets).item())
            if epoch + 1 in NOTED:
                parameters.append(flatten(model))
        golden[f"{name}_parameters"] = np.stack(parameters)
        golden[f"{name}_loss"] = np.array(losses)
        print(f"{name:9} loss after the last epoch {losses[-1]:.6f}")  # noqa: T201
    np.savez_compressed(TARGET, **golden)


if __name__ == "__main__":
    main()
