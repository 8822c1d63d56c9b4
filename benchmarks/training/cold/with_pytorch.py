"""Iris with four optimizers: PyTorch eager."""

import sys

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
torch.manual_seed(0)
data, epochs = np.load(sys.argv[1]), int(sys.argv[2])
x, y = torch.from_numpy(data["x_train"]), torch.from_numpy(data["y_train"])
x_validation = torch.from_numpy(data["x_validation"])
y_validation = torch.from_numpy(data["y_validation"])

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, fused=True),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, fused=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.005, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.005, fused=True),
}


def evaluate(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Return loss and accuracy."""
    with torch.inference_mode():
        logits = model(x)
        return cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


for name, create in OPTIMIZERS.items():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 3))
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    optimizer = create(model.parameters())
    history = []
    for _ in range(epochs):
        order = torch.randperm(len(x))
        batches = x.index_select(0, order).split(32), y.index_select(0, order).split(32)
        for x_batch, y_batch in zip(*batches, strict=True):
            loss = cross_entropy(model(x_batch), y_batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        history.append((evaluate(model, x, y), evaluate(model, x_validation, y_validation)))
    print(name, history[-1][1][1])  # noqa: T201
